"""What the HTTP interface takes and answers, as JSON or as a form."""

from typing import Any

from rest_framework import serializers

from app.uploads.models import Image, State

CONTENT_TYPES = ("image/jpeg", "image/png", "image/webp", "image/gif", "image/avif", "image/heic", "image/heif")


class UploadSerializer(serializers.Serializer[Any]):
    """What is sent: one file. Whether it is a picture is found out by decoding it, once."""

    image = serializers.FileField(
        allow_empty_file=True,
        error_messages={
            "required": "No file came in the form field “image”: send a picture in it, and the form as a whole.",
            "invalid": "The form field “image” holds no file.",
        },
    )


class KeySerializer(serializers.Serializer[Any]):
    key = serializers.RegexField(
        r"^[\x21-\x7e]{1,100}\Z",
        required=False,
        error_messages=dict.fromkeys(("invalid", "blank"), "An Idempotency-Key has 1 to 100 visible ASCII characters."),
    )


class FormSerializer(serializers.Serializer[Any]):
    """What is asked for a photo that goes straight to the bucket."""

    content_type = serializers.ChoiceField(
        choices=CONTENT_TYPES,
        error_messages=dict.fromkeys(
            ("invalid_choice", "required", "null"), f"Send as content_type one of {', '.join(CONTENT_TYPES)}."
        ),
    )


class ImageSerializer(serializers.Serializer[Image]):
    """What is answered. The addresses are null until the picture is ready."""

    id = serializers.UUIDField(read_only=True)
    state = serializers.ChoiceField(State.choices)
    url = serializers.CharField(allow_null=True)
    thumbnail_url = serializers.CharField(allow_null=True)
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)
    bytes = serializers.IntegerField(allow_null=True)
    thumbnail_bytes = serializers.IntegerField(allow_null=True)
    notes = serializers.ListField(child=serializers.CharField())

    def to_representation(self, instance: Image) -> dict[str, Any]:
        """Written out: asking each field, of which each serializer has a copy, takes longer than the row's update."""
        ready = instance.state == State.READY
        absolute = self.context["request"].build_absolute_uri
        return {
            "id": str(instance.pk),
            "state": instance.state,
            "url": absolute(instance.main.url) if ready else None,
            "thumbnail_url": absolute(instance.thumbnail.url) if ready else None,
            "width": instance.width,
            "height": instance.height,
            "bytes": instance.bytes,
            "thumbnail_bytes": instance.thumbnail_bytes,
            "notes": instance.notes,
        }
