"""The API on one screen, mounted at /api/v1/."""

from __future__ import annotations

from django.urls import path, re_path

from shipmend.api import audits, batch, causes, changes, live, openapi, operations, reports
from shipmend.api.endpoint import endpoint
from shipmend.api.views import unknown

urlpatterns = [
    path("api_tokens", endpoint(*operations.API_TOKENS)),
    path("releases", endpoint(*operations.RELEASES)),
    path("releases/<uuid:release_id>", endpoint(*operations.RELEASE)),
    path("releases/<uuid:release_id>/changes", endpoint(*changes.RELEASE_CHANGES)),
    path("changes", endpoint(*changes.CHANGES)),
    path("live", endpoint(*live.LIVE)),
    path("waiting", endpoint(*live.WAITING)),
    path("critical_defects", endpoint(*operations.CRITICAL_DEFECTS)),
    path("critical_defects/<path:defect_key>", endpoint(*operations.CRITICAL_DEFECT)),
    path("batch", endpoint(*batch.BATCH)),
    # Not below the defect's own path: a key may itself end in any word behind a slash.
    path("critical_defect_causes/<path:defect_key>", endpoint(*causes.CAUSE)),
    path("imports", endpoint(*operations.IMPORTS)),
    path("reports", endpoint(*reports.REPORTS)),
    path("segment_introspections", endpoint(*reports.INTROSPECTIONS)),
    path("audits", endpoint(*audits.AUDITS)),
    path("developers", endpoint(*audits.DEVELOPERS)),
    path("openapi.json", openapi.document),
    re_path("", unknown),
]
