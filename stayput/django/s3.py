"""Pictures in S3. Loaded only where S3 is chosen: imports django-storages and boto3."""

from typing import Any, cast

from botocore.exceptions import ClientError
from django.core.files.base import File
from storages.backends.s3 import S3Storage


class S3MediaStorage(S3Storage):
    """Never overwrites and never asks first: the write itself is conditional (If-None-Match).

    Asking first (HEAD) takes a right to list the bucket, another round trip, and is a race.
    """

    bucket_name: str

    @property
    def client(self) -> Any:
        """The bucket's boto3 client, which threads may share."""
        return self.bucket.meta.client

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return name

    def _save(self, name: str, content: File) -> str:
        parameters = cast("dict[str, Any]", self._get_write_parameters(name, content))
        while True:
            content.seek(0)
            try:
                self.client.put_object(
                    Bucket=self.bucket_name,
                    Key=self._normalize_name(name),
                    Body=content,
                    IfNoneMatch="*",
                    **parameters,
                )
                return name
            except ClientError as refused:
                if refused.response.get("Error", {}).get("Code") != "PreconditionFailed":
                    raise
            name = self.get_alternative_name(*split_extension(name))

    def probe(self) -> None:
        """Ask for an object that is not there. Raises unless S3 answers and knows bucket and key.

        Without the right to list, S3 says AccessDenied of what is not there: that, too, is an answer.
        """
        try:
            self.client.get_object(Bucket=self.bucket_name, Key=self._normalize_name("healthz"))
        except ClientError as answer:
            if answer.response.get("Error", {}).get("Code") not in ("NoSuchKey", "AccessDenied"):
                raise


def split_extension(name: str) -> tuple[str, str]:
    root, dot, extension = name.rpartition(".")
    return (root, dot + extension) if root and "/" not in extension else (name, "")
