"""Pictures in S3. Loaded only where S3 is chosen: imports django-storages and boto3."""

import contextlib
from functools import partial
from typing import Any, cast
from uuid import uuid4

from botocore.exceptions import ClientError, HTTPClientError
from django.core.files.base import File
from storages.backends.s3 import S3Storage

INCOMING = "incoming/"
NAMES_TRIED = 5
NOT_THERE = ("NoSuchKey", "AccessDenied")  # the second, where the key may not list the bucket


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

    def exists(self, name: str) -> bool:
        """Asked with the shared client: django-storages makes one for each thread, which takes longer than to ask."""
        try:
            self.client.head_object(Bucket=self.bucket_name, Key=self._normalize_name(name))
        except ClientError as answer:
            if answer.response.get("Error", {}).get("Code") == "404":
                return False
            raise
        return True

    def _save(self, name: str, content: File) -> str:
        parameters = cast("dict[str, Any]", self._get_write_parameters(name, content))
        mark = uuid4().hex
        parameters["Metadata"] = parameters.get("Metadata", {}) | {"write": mark}
        for _ in range(NAMES_TRIED):
            content.seek(0)
            try:
                self._put(name, content, parameters)
                return name
            except FileExistsError:
                pass
            except ClientError as refused:
                if refused.response.get("Error", {}).get("Code") != "PreconditionFailed":
                    raise
            if self._holds(name, mark):  # written the first time: the answer was lost, and boto3 asked again
                return name
            name = self.get_alternative_name(*split_extension(name))
        raise FileExistsError(f"S3 says that {NAMES_TRIED} names are taken, the last being {name}")

    def _put(self, name: str, content: File, parameters: dict[str, Any]) -> None:
        put = partial(
            self.client.put_object, Bucket=self.bucket_name, Key=self._normalize_name(name), Body=content, **parameters
        )
        try:
            put(IfNoneMatch="*")
        except ClientError as refused:
            if refused.response.get("Error", {}).get("Code") != "NotImplemented":
                raise
            if self.exists(name):  # an S3 without conditional writes: it has to be asked first
                raise FileExistsError(name) from None
            content.seek(0)
            put()

    def _holds(self, name: str, mark: str) -> bool:
        found = self.client.head_object(Bucket=self.bucket_name, Key=self._normalize_name(name))
        return found.get("Metadata", {}).get("write") == mark

    @staticmethod
    def is_unanswered(problem: Exception) -> bool:
        """Whether S3 may have done, or may yet do, what it was asked: it took the request and never answered."""
        return isinstance(problem, HTTPClientError)

    # Photos that a browser sends straight to the bucket, under INCOMING

    def form(self, name: str, *, content_type: str, most: int, seconds: int) -> dict[str, Any]:
        """`{"url", "fields"}` of a form that may be posted to the bucket: this name, this type, 1 to `most` bytes."""
        fixed = {"Content-Type": content_type, "Content-Disposition": "attachment"}  # not checked yet
        return self.client.generate_presigned_post(
            self.bucket_name,
            INCOMING + name,
            Fields=fixed,
            Conditions=[*({name: value} for name, value in fixed.items()), ["content-length-range", 1, most]],
            ExpiresIn=seconds,
        )

    def sent(self, name: str, *, most: int) -> bytes | int | None:
        """What a browser sent; only its size where that is over `most`; None where nothing was sent."""
        try:
            found = self.client.get_object(Bucket=self.bucket_name, Key=INCOMING + name)
        except ClientError as answer:
            if answer.response.get("Error", {}).get("Code") in NOT_THERE:
                return None
            raise
        with contextlib.closing(found["Body"]) as body:
            return found["ContentLength"] if found["ContentLength"] > most else body.read()

    def forget(self, name: str) -> None:
        """Remove what a browser sent."""
        self.client.delete_object(Bucket=self.bucket_name, Key=INCOMING + name)

    def probe(self) -> None:
        """Ask for an object that is not there. Raises unless S3 answers and knows bucket and key.

        Without the right to list, S3 says AccessDenied of what is not there: that, too, is an answer.
        """
        try:
            self.client.get_object(Bucket=self.bucket_name, Key=self._normalize_name("healthz"))
        except ClientError as answer:
            if answer.response.get("Error", {}).get("Code") not in NOT_THERE:
                raise


def split_extension(name: str) -> tuple[str, str]:
    root, dot, extension = name.rpartition(".")
    return (root, dot + extension) if root and "/" not in extension else (name, "")
