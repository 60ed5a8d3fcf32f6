"""The HTTP interface: pictures as JSON. Its OpenAPI document is at /api/schema/."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import close_old_connections
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import http_date
from rest_framework import status
from rest_framework.exceptions import APIException, NotFound, ParseError, ValidationError
from rest_framework.generics import ListAPIView
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from app.uploads import direct, intake, schema
from app.uploads.auth import UploadThrottle, owner
from app.uploads.images import InvalidImage
from app.uploads.models import Image, State
from app.uploads.serializers import FormSerializer, ImageSerializer, KeySerializer, UploadSerializer
from app.uploads.slots import Busy
from app.uploads.store import RETRY_AFTER, Deleted, InProgress, KeyUsed, StorageUnavailable


class TryAgain(APIException):
    """503, or another status, with Retry-After. wait: seconds."""

    default_detail = "The pictures' storage is not available. Please try again in a moment."

    def __init__(self, detail: str | None = None, *, wait: float = RETRY_AFTER, status_code: int = 503):
        self.wait, self.status_code = wait, status_code
        super().__init__(detail)


class Conflict(APIException):
    status_code = status.HTTP_409_CONFLICT


@contextmanager
def answered() -> Iterator[None]:
    """What can go wrong with a picture, as the answer that says so."""
    try:
        yield
    except InvalidImage as refusal:
        raise ValidationError({"image": [str(refusal)]}) from None
    except Busy:
        raise TryAgain("Too many pictures are being worked on. Please try again in a moment.") from None
    except StorageUnavailable as away:
        raise TryAgain(wait=away.retry_after) from None
    except InProgress:
        raise TryAgain("This picture is being worked on.", wait=2, status_code=409) from None
    except Deleted as gone:
        raise Conflict(str(gone)) from None
    except KeyUsed:
        problem = APIException("The Idempotency-Key was used for another picture. Please take a new one.")
        problem.status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
        raise problem from None
    except direct.NothingSent:
        raise Conflict("Nothing was sent yet. Post the photo with the form first.") from None
    except direct.NotDirect:
        raise Conflict("Photos are not kept in S3 here. Send them to /api/images/.") from None


class NewestFirst(CursorPagination):
    ordering = ("-created", "-id")
    page_size = 50

    def decode_cursor(self, request: Request) -> Cursor | None:
        """404 for a cursor that names no time; the database would be asked for it."""
        cursor = super().decode_cursor(request)
        try:
            if cursor and cursor.position is not None:
                datetime.fromisoformat(cursor.position).astimezone(UTC)
        except (ValueError, OverflowError):
            raise NotFound(self.invalid_cursor_message) from None
        return cursor


class ShallowJSONParser(JSONParser):
    """400 for JSON in more brackets than Python can count."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise ParseError("The JSON is nested too deeply.") from None


class Images(ListAPIView[Image]):
    """GET: the listed pictures, newest first. POST: a new one."""

    queryset = Image.objects.filter(listed=True, state=State.READY)
    serializer_class = ImageSerializer
    pagination_class = NewestFirst

    def get_throttles(self) -> list[BaseThrottle]:
        return [UploadThrottle()] if self.request.method == "POST" else []

    @schema.pictures
    def get(self, request: Request) -> Response:
        return self.list(request)

    @schema.uploads
    def post(self, request: Request) -> Response:
        close_old_connections()  # who sends slowly holds no connection to the database
        key = idempotency_key(request)
        sent = UploadSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        with answered():
            image = intake.take(
                sent.validated_data["image"],
                owner=owner(request),
                listed=getattr(request.user, "listed", True),
                key=key,
            )
        made = {"Last-Modified": http_date(image.created.timestamp())}
        return Response(self.get_serializer(image).data, status=status.HTTP_201_CREATED, headers=made)


def idempotency_key(request: Request) -> str | None:
    if "Idempotency-Key" not in request.headers:
        return None
    key = KeySerializer(data={"key": request.headers["Idempotency-Key"]})
    key.is_valid(raise_exception=True)
    return key.validated_data["key"]


class OneImage(APIView):
    """GET: one picture, listed or not. DELETE: the picture and its two objects."""

    @schema.one
    def get(self, request: Request, pk: UUID) -> Response:
        return Response(ImageSerializer(get_object_or_404(Image, pk=pk), context={"request": request}).data)

    @schema.delete
    def delete(self, request: Request, pk: UUID) -> Response:
        with answered():
            intake.remove(get_object_or_404(Image, pk=pk))
        return Response(status=status.HTTP_204_NO_CONTENT)


class Uploads(APIView):
    """POST: a form with which a browser sends a photo straight to the bucket."""

    parser_classes = (ShallowJSONParser, FormParser, MultiPartParser)
    throttle_classes = (UploadThrottle,)

    @schema.forms
    def post(self, request: Request) -> Response:
        asked = FormSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        with answered():
            image, form = direct.begin(
                asked.validated_data["content_type"],
                owner=owner(request),
                listed=getattr(request.user, "listed", True),
            )
        finish = request.build_absolute_uri(reverse("finish", args=[image.pk]))
        body = {"id": image.pk, "state": image.state, "form": form, "seconds": direct.FORM_SECONDS, "finish": finish}
        return Response(body, status=status.HTTP_201_CREATED)


class Finish(APIView):
    """POST: the photo was sent; make the picture."""

    @schema.finish
    def post(self, request: Request, pk: UUID) -> Response:
        image = get_object_or_404(Image, pk=pk, owner=owner(request), direct=True)
        close_old_connections()
        with answered():
            image = direct.finish(image)
        return Response(ImageSerializer(image, context={"request": request}).data)
