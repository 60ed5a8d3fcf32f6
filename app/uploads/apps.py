import mimetypes

from django.apps import AppConfig


class UploadsConfig(AppConfig):
    name = "app.uploads"
    label = "uploads"

    def ready(self) -> None:
        mimetypes.add_type("image/webp", ".webp")  # unknown to Python 3.12 and older
