"""A picture, as the database knows it."""

import uuid

from django.db import models
from django.db.models import Value
from django.db.models.functions import Now


class State(models.TextChoices):
    RECEIVED = "received"  # known, not worked on; a photo that goes straight to the bucket may still be on its way
    PROCESSING = "processing"  # its objects may be there already, under the keys in the row
    READY = "ready"
    REFUSED = "refused"  # `notes` say why
    FAILED = "failed"  # its objects may still have to be removed


class Image(models.Model):
    """One picture and the keys of its two objects. The row comes first and goes last: no object without a row.

    What came after the first migration has a default in the database: the release before still writes rows while
    the next one is being proven.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.RECEIVED)
    main = models.FileField(max_length=200)
    thumbnail = models.FileField(max_length=200)
    width = models.PositiveIntegerField(null=True)  # of the main picture, in pixels
    height = models.PositiveIntegerField(null=True)
    bytes = models.PositiveIntegerField(null=True)  # of the main picture
    thumbnail_bytes = models.PositiveIntegerField(null=True)
    notes = models.JSONField(default=list, db_default=Value([], models.JSONField()))  # sentences for the sender
    listed = models.BooleanField(default=True)  # False: found by its id alone
    owner = models.CharField(
        max_length=64, default="", db_default=""
    )  # who sent it: a user, or the holders of a kind of token
    direct = models.BooleanField(
        default=False, db_default=False
    )  # its photo may lie under incoming/, with its id as the name
    idempotency_key = models.CharField(max_length=100, null=True)
    received_sha256 = models.CharField(max_length=64, default="", db_default="")  # of what came with the key
    created = models.DateTimeField(auto_now_add=True)
    changed = models.DateTimeField(auto_now=True, db_default=Now())  # when it took its state

    class Meta:
        ordering = ("-created", "-id")
        indexes = (models.Index(fields=["-created", "-id"], name="newest_first"),)
        constraints = (models.UniqueConstraint(fields=["owner", "idempotency_key"], name="one_picture_a_key"),)

    def __str__(self) -> str:
        return f"{self.id} ({self.state})"


class Sender(models.Model):
    """How much came from one sender since a minute of theirs began; see auth.UploadThrottle."""

    who = models.CharField(max_length=64, primary_key=True)  # a digest of the user and the address
    began = models.FloatField()  # seconds since 1970
    uploads = models.PositiveIntegerField()
