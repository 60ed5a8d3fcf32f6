"""A picture, as the database knows it."""

import uuid

from django.db import models


class State(models.TextChoices):
    RECEIVED = "received"
    PROCESSING = "processing"  # its objects may be there already, under the keys in the row
    READY = "ready"
    REFUSED = "refused"
    FAILED = "failed"  # its objects may still have to be removed


class Image(models.Model):
    """One picture and the keys of its two objects. The row comes first and goes last: no object without a row."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.RECEIVED)
    main = models.FileField(max_length=200)
    thumbnail = models.FileField(max_length=200)
    width = models.PositiveIntegerField()  # of the main picture, in pixels
    height = models.PositiveIntegerField()
    bytes = models.PositiveIntegerField()  # of the main picture
    thumbnail_bytes = models.PositiveIntegerField()
    listed = models.BooleanField(default=True)  # False: found by its id alone
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-created", "-id")
        indexes = (models.Index(fields=["-created", "-id"], name="newest_first"),)

    def __str__(self) -> str:
        return f"{self.id} ({self.state})"
