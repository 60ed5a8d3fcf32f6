"""Pictures in ImageKit. Loaded only where ImageKit is chosen: imports imagekitio 5."""

import posixpath
from collections.abc import Mapping
from typing import Any, cast

import httpx
from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage
from imagekitio import APIConnectionError, DefaultHttpxClient, ImageKit
from imagekitio.types.file import File as Asset


class NotStored(OSError):
    """ImageKit's answer names no file, so there is none."""


class ImageKitStorage(Storage):
    """A Django storage on ImageKit's media library.

    private_key: ImageKit's. url_endpoint: where it shows the pictures. folder: where they lie in the library.
    timeout: seconds a request may take. retries: how often a connection that failed is tried again. An answer is never
    waited out by the library, which would sleep for the minute that ImageKit may ask for.
    """

    def __init__(self, *, private_key: str, url_endpoint: str, folder: str, timeout: float, retries: int):
        connection = DefaultHttpxClient(transport=httpx.HTTPTransport(retries=retries))
        self.client = ImageKit(private_key=private_key, timeout=timeout, max_retries=0, http_client=connection)
        self.url_endpoint, self.folder, self.timeout = url_endpoint, folder, timeout

    def path_of(self, name: str) -> tuple[str, str]:
        """Folder and file name in the library: ("/media/2026", "a.webp")."""
        folder, file_name = posixpath.split(posixpath.normpath(f"/{self.folder}/{name}"))
        return folder, file_name

    def _save(self, name: str, content: File) -> str:
        folder, file_name = self.path_of(name)
        content.seek(0)
        answer: object = self.client.files.upload(
            file=content.read(),  # bytes: the library refuses Django's file objects
            file_name=file_name,
            folder=folder,
            use_unique_file_name=False,
            overwrite_file=False,
        )
        if not stored_id(answer):
            raise NotStored(f"ImageKit's answer to an upload names no file: {str(answer)[:100]!r}")
        return name

    def _open(self, name: str, mode: str = "rb") -> File:
        answer = httpx.get(self.url(name), timeout=self.timeout, follow_redirects=True)
        if answer.status_code == 404:
            raise FileNotFoundError(name)
        return ContentFile(answer.raise_for_status().content, name=name)

    def _find(self, name: str) -> Asset | None:
        folder, file_name = self.path_of(name)
        found = self.client.assets.list(path=folder, search_query=f'name="{file_name}"', limit=1)
        path = f"{folder}/{file_name}"  # a search may find more than was asked for, and what is found may be deleted
        return next((asset for asset in found if isinstance(asset, Asset) and asset.file_path == path), None)

    def exists(self, name: str) -> bool:
        return self._find(name) is not None

    def size(self, name: str) -> int:
        asset = self._find(name)
        if asset is None:
            raise FileNotFoundError(name)
        return int(asset.size or 0)

    def delete(self, name: str) -> None:
        asset = self._find(name)
        if asset is not None and asset.file_id:
            self.client.files.delete(asset.file_id)

    def url(self, name: str | None) -> str:
        folder, file_name = self.path_of(name or "")
        return f"{self.url_endpoint}{folder}/{file_name}"

    @staticmethod
    def is_unanswered(problem: Exception) -> bool:
        """Whether ImageKit may have done, or may yet do, what it was asked: it took the request and never answered."""
        never_taken = isinstance(problem.__cause__, httpx.ConnectError | httpx.ConnectTimeout)
        return isinstance(problem, APIConnectionError) and not never_taken

    def probe(self) -> None:
        """Ask for one asset. Raises unless ImageKit answers and knows the key."""
        self.client.assets.list(limit=1)


def stored_id(answer: object) -> str | None:
    """The id of a stored file, wherever ImageKit's libraries have put it; None where there is none.

    2.x: a dict, at times under "response", beside an "error"; 3.x and 4.x: an object with the raw answer in
    `response_metadata.raw`; 5.x: an object with `file_id`. The interface itself says `fileId`.
    """
    if isinstance(answer, Mapping):
        fields = cast("Mapping[str, Any]", answer)
        if fields.get("error"):
            return None
        found = fields.get("fileId") or fields.get("file_id")
        return str(found) if found else stored_id(fields.get("response"))
    found = getattr(answer, "file_id", None) or getattr(answer, "fileId", None)
    if isinstance(found, str) and found:
        return found
    raw: object = getattr(getattr(answer, "response_metadata", None), "raw", None) or getattr(answer, "response", None)
    return stored_id(cast("Mapping[str, Any]", raw)) if isinstance(raw, Mapping) else None
