"""Every mount point of the service."""

from __future__ import annotations

from django.urls import include, path, re_path

from shipmend.api.views import unknown
from shipmend.web.views.reference import metrics_reference, reference

urlpatterns = [
    path("api/v1/", include("shipmend.api.urls")),
    re_path("^api/", unknown),
    path("", include("shipmend.watch.urls")),
    path("api_reference", reference),
    path("metrics_reference", metrics_reference),
    path("", include("shipmend.web.urls")),
]

handler404 = "shipmend.web.errors.not_found"
handler500 = "shipmend.web.errors.broken"
