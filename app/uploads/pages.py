"""The page for people: the pictures, and a form for those who are logged in."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe
from django.views.static import serve

from app.uploads import direct, intake
from app.uploads.auth import UploadThrottle, owner
from app.uploads.formats import TAKEN
from app.uploads.images import InvalidImage
from app.uploads.models import Image, State
from app.uploads.slots import Busy
from app.uploads.store import RETRY_AFTER, Deleted, StorageUnavailable

SHOWN = 60  # pictures on the page
LONGEST_NAME = 255  # bytes; for a longer one, a disk has an error


@require_http_methods(["GET", "HEAD", "POST"])
def gallery(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return page(request)
    if not request.user.is_authenticated:
        return redirect("login")
    return upload(request)


def upload(request: HttpRequest) -> HttpResponse:
    throttle = UploadThrottle()
    if not throttle.allow_request(request, None):
        wait = int(throttle.wait() or 60) + 1
        return page(request, f"That was a lot. Please wait {wait} seconds.", 429, wait)
    file = request.FILES.get("image")
    if file is None:
        return page(request, "Please choose a picture first.", 400)
    try:
        intake.take(file, owner=owner(request))
    except InvalidImage as refusal:
        return page(request, str(refusal), 400)
    except Deleted as gone:
        return page(request, str(gone), 409)
    except (Busy, StorageUnavailable) as away:
        sentence = "The picture could not be stored just now. Please try again in a moment."
        return page(request, sentence, 503, getattr(away, "retry_after", RETRY_AFTER))
    return redirect("gallery")


def page(request: HttpRequest, problem: str = "", status: int = 200, retry_after: int | None = None) -> HttpResponse:
    shown = Image.objects.filter(listed=True, state=State.READY)[:SHOWN]
    context = {"images": shown, "problem": problem, "taken": TAKEN, "direct": direct.possible()}
    answer = render(request, "uploads/gallery.html", context, status=status)
    if retry_after is not None:
        answer.headers["Retry-After"] = str(retry_after)
    return answer


@require_safe
def media(request: HttpRequest, path: str) -> HttpResponseBase:
    """A picture from local disk, where nothing else serves it."""
    if len(path.encode()) > LONGEST_NAME:
        raise Http404
    return serve(request, path, document_root=settings.MEDIA_ROOT)
