"""What the OpenAPI document says of each request, beyond what the serializers say."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers

from app.uploads.serializers import FormSerializer, ImageSerializer, UploadSerializer


class UploadTokenScheme(OpenApiAuthenticationExtension):
    target_class = "app.uploads.auth.UploadTokenAuthentication"
    name = "uploadToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "An upload token; it lives ten minutes."}


class Detail(serializers.Serializer[Any]):
    detail = serializers.CharField()


class Problems(serializers.Serializer[Any]):
    """Sentences for the person who uploaded, by the field they are about."""

    image = serializers.ListField(child=serializers.CharField(), required=False)
    key = serializers.ListField(child=serializers.CharField(), required=False)
    content_type = serializers.ListField(child=serializers.CharField(), required=False)
    detail = serializers.CharField(required=False)


class PostForm(serializers.Serializer[Any]):
    url = serializers.CharField()
    fields_ = serializers.DictField(child=serializers.CharField())

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        return {name.rstrip("_"): field for name, field in fields.items()}  # `fields` is taken by the class itself


class OpenedUpload(serializers.Serializer[Any]):
    """Post `form.fields` and then the file, as field `file`, to `form.url`, within `seconds`; then post to `finish`."""

    id = serializers.UUIDField()
    state = serializers.CharField()
    form = PostForm()
    seconds = serializers.IntegerField()
    finish = serializers.URLField()


RETRY_AFTER = OpenApiParameter(
    "Retry-After", int, OpenApiParameter.HEADER, response=[409, 429, 503], description="Seconds to wait."
)
KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "pattern": "^[!-~]{1,100}$"},
    OpenApiParameter.HEADER,
    description="Sent again with the same picture, it answers with what was made before, and makes nothing.",
)
ID = OpenApiParameter("id", OpenApiTypes.UUID, OpenApiParameter.PATH)


def refusals(*statuses: int) -> dict[int, Any]:
    said = {
        400: OpenApiResponse(Problems, "What was sent is not taken; the sentence says why."),
        401: OpenApiResponse(Detail, "No rights, or a token that is forged or expired."),
        403: OpenApiResponse(Detail, "A session without the form's secret."),
        404: OpenApiResponse(Detail, "There is no such picture or page, or it is not yours."),
        406: OpenApiResponse(Detail, "Answers are JSON."),
        408: OpenApiResponse(Problems, "The body came too slowly."),
        409: OpenApiResponse(
            Detail, "It is being worked on, nothing was sent yet, it was deleted meanwhile, or there is no bucket."
        ),
        411: OpenApiResponse(Problems, "The body does not say how long it is."),
        413: OpenApiResponse(Problems, "The body is too large."),
        415: OpenApiResponse(Problems, "The body is of a kind that is not taken here, or compressed."),
        422: OpenApiResponse(Detail, "The Idempotency-Key came with another picture before."),
        429: OpenApiResponse(Detail, "Too many uploads; Retry-After says when to come back."),
        503: OpenApiResponse(Detail, "The storage is down, or too many pictures are being worked on."),
    }
    return {status: said[status] for status in statuses}


pictures = extend_schema(operation_id="pictures", responses={200: ImageSerializer(many=True)} | refusals(401, 404, 406))
uploads = extend_schema(
    operation_id="upload",
    request={"multipart/form-data": UploadSerializer},
    parameters=[KEY, RETRY_AFTER],
    responses={201: ImageSerializer} | refusals(400, 401, 403, 406, 408, 409, 411, 413, 415, 422, 429, 503),
)
one = extend_schema(operation_id="picture", parameters=[ID], responses={200: ImageSerializer} | refusals(401, 404, 406))
delete = extend_schema(
    operation_id="remove", parameters=[ID], responses={204: None} | refusals(401, 403, 404, 406, 503)
)
forms = extend_schema(
    operation_id="open_upload",
    request=FormSerializer,
    parameters=[RETRY_AFTER],
    responses={201: OpenedUpload} | refusals(400, 401, 403, 406, 408, 409, 411, 413, 415, 429, 503),
)
finish = extend_schema(
    operation_id="finish_upload",
    request=None,
    parameters=[ID, RETRY_AFTER],
    responses={200: ImageSerializer} | refusals(400, 401, 403, 404, 406, 408, 409, 411, 413, 503),
)
