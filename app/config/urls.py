"""The site's addresses."""

from django.conf import settings
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path
from drf_spectacular.views import SpectacularJSONAPIView

from app.uploads import api, pages

handler400 = "app.config.problems.bad_request"
handler404 = "app.config.problems.not_found"
handler500 = "app.config.problems.server_error"

urlpatterns = [
    path("", pages.gallery, name="gallery"),
    path("login/", LoginView.as_view(template_name="uploads/login.html"), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("api/images/", api.Images.as_view(), name="images"),
    path("api/images/<uuid:pk>/", api.OneImage.as_view(), name="image"),
    path("api/uploads/", api.Uploads.as_view(), name="uploads"),
    path("api/uploads/<uuid:pk>/finish/", api.Finish.as_view(), name="finish"),
    path("api/schema/", SpectacularJSONAPIView.as_view(), name="schema"),
]

if settings.MEDIA_URL == "/media/":
    urlpatterns += [path("media/<path:path>", pages.media)]
