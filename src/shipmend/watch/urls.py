"""For machines that watch: mounted at the top."""

from __future__ import annotations

from django.urls import path

from shipmend.watch import views

urlpatterns = [
    path("healthz", views.alive),
    path("readyz", views.ready),
    path("metrics", views.metrics),
]
