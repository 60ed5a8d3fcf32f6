"""The HTTP interface: pictures as JSON."""

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.generics import ListAPIView
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from app.uploads import intake
from app.uploads.auth import UploadThrottle
from app.uploads.images import InvalidImage
from app.uploads.models import Image, State
from app.uploads.slots import Busy
from app.uploads.store import StorageUnavailable


class TryAgain(APIException):
    """503 with Retry-After."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "The pictures' storage is not available. Please try again in a moment."
    wait = 10  # seconds


class UploadSerializer(serializers.Serializer[Any]):
    """What is sent: one file. Whether it is a picture is found out by decoding it, once."""

    image = serializers.FileField(
        allow_empty_file=True,
        error_messages={
            "required": "Send a picture in the form field “image”.",
            "invalid": "The form field “image” holds no file.",
        },
    )


class ImageSerializer(serializers.ModelSerializer[Image]):
    """What is answered. The addresses are null until the picture is ready."""

    url = serializers.SerializerMethodField()
    thumbnail_url = serializers.SerializerMethodField()

    class Meta:
        model = Image
        fields = ("id", "state", "url", "thumbnail_url", "width", "height", "bytes", "thumbnail_bytes")

    def get_url(self, image: Image) -> str | None:
        return self.address(image, image.main.url)

    def get_thumbnail_url(self, image: Image) -> str | None:
        return self.address(image, image.thumbnail.url)

    def address(self, image: Image, url: str) -> str | None:
        return self.context["request"].build_absolute_uri(url) if image.state == State.READY else None


class NewestFirst(CursorPagination):
    ordering = ("-created", "-id")
    page_size = 50


class Images(ListAPIView[Image]):
    """GET: the listed pictures, newest first. POST: a new one."""

    queryset = Image.objects.filter(listed=True, state=State.READY)
    serializer_class = ImageSerializer
    pagination_class = NewestFirst

    def get_throttles(self) -> list[BaseThrottle]:
        return [UploadThrottle()] if self.request.method == "POST" else []

    def post(self, request: Request) -> Response:
        sent = UploadSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        try:
            image = intake.take(sent.validated_data["image"], listed=getattr(request.user, "listed", True))
        except InvalidImage as refusal:
            raise ValidationError({"image": [str(refusal)]}) from None
        except Busy:
            raise TryAgain("Too many pictures are being worked on. Please try again in a moment.") from None
        except StorageUnavailable:
            raise TryAgain from None
        answer = self.get_serializer(image).data
        return Response(answer, status=status.HTTP_201_CREATED)


class OneImage(APIView):
    """GET: one picture, listed or not. DELETE: the picture and its two objects."""

    def get(self, request: Request, pk: UUID) -> Response:
        return Response(ImageSerializer(get_object_or_404(Image, pk=pk), context={"request": request}).data)

    def delete(self, request: Request, pk: UUID) -> Response:
        try:
            intake.remove(get_object_or_404(Image, pk=pk))
        except StorageUnavailable:
            raise TryAgain from None
        return Response(status=status.HTTP_204_NO_CONTENT)
