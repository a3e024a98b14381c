"""Every page, in reading order."""

from __future__ import annotations

from django.urls import path, register_converter
from django.urls.converters import PathConverter, StringConverter

from shipmend.core.metrics import Metric
from shipmend.core.values import SLUG
from shipmend.web.views import (
    account,
    badge,
    changes,
    defects,
    entities,
    lists,
    live,
    metrics,
    overview,
    repos,
    settings,
    tickets,
    tokens,
    tracking,
)


class SlugConverter(StringConverter):
    """The name of an entity, an organization or a repo: what can be none has no page."""

    regex = SLUG


class KeyConverter(PathConverter):
    """A defect's key, which may hold slashes; a NUL is in none, and PostgreSQL would choke on it."""

    regex = r"[^\x00]+"


class MetricConverter(StringConverter):
    """The name of a metric."""

    regex = "|".join(Metric)

    def to_python(self, value: str) -> Metric:
        """The metric."""
        return Metric(value)


register_converter(SlugConverter, "name")
register_converter(MetricConverter, "metric")
register_converter(KeyConverter, "key")

PLACE = "entities/<name:entity>"
ORGANIZATION = f"{PLACE}/<name:organization>"
REPO = f"{ORGANIZATION}/<name:repo>"
SETTINGS = "settings/<name:entity>"
MEMBER = f"{SETTINGS}/members/<uuid:membership_id>"
REPO_SETTINGS = f"{SETTINGS}/repos/<name:organization>/<name:repo>"
RULES = f"{SETTINGS}/releases"
TOKENS = f"{SETTINGS}/api/tokens"

urlpatterns = [
    path("", entities.home, name="home"),
    path("sign-in", account.sign_in, name="sign-in"),
    path("sign-out", account.sign_out, name="sign-out"),
    path("login/<str:secret>", account.login_link, name="login-link"),
    path("setup", account.setup_where, name="setup-where"),
    path("setup/<str:secret>", account.setup, name="setup"),
    path("account", account.account, name="account"),
    path("live", live.live, name="live"),
    path("badge/<name:entity>/<name:organization>/<name:repo>/<key:environment>.svg", badge.live_badge, name="badge"),
    # What was released and what broke
    path(PLACE, overview.overview, name="place"),
    path(f"{PLACE}/-/releases", lists.releases, name="releases"),
    path(f"{PLACE}/-/defects", defects.browse_defects, name="defects"),
    path(f"{PLACE}/-/defects/<key:key>", defects.defect, name="defect"),
    path(f"{PLACE}/-/change-defect/<key:key>", defects.change_defect, name="change-defect"),
    path(f"{PLACE}/-/tickets/<key:key>", live.ticket, name="ticket"),
    path(f"{PLACE}/-/waiting", live.waiting, name="waiting"),
    path(f"{PLACE}/-/metrics/<metric:metric>", metrics.metric, name="metric"),
    path(ORGANIZATION, overview.overview, name="organization"),
    path(f"{ORGANIZATION}/-/releases", lists.releases, name="organization-releases"),
    path(f"{ORGANIZATION}/-/defects", defects.browse_defects, name="organization-defects"),
    path(f"{ORGANIZATION}/-/waiting", live.waiting, name="organization-waiting"),
    path(f"{ORGANIZATION}/-/metrics/<metric:metric>", metrics.metric, name="organization-metric"),
    path(REPO, overview.overview, name="repo"),
    path(f"{REPO}/index", entities.index_state, name="index-state"),
    path(f"{REPO}/releases", lists.releases, name="repo-releases"),
    path(f"{REPO}/releases/<uuid:release_id>", changes.release, name="release"),
    path(f"{REPO}/defects", defects.browse_defects, name="repo-defects"),
    path(f"{REPO}/compare", changes.compare, name="compare"),
    path(f"{REPO}/waiting", live.waiting, name="repo-waiting"),
    path(f"{REPO}/metrics/<metric:metric>", metrics.metric, name="repo-metric"),
    # Settings
    path(SETTINGS, settings.general, name="settings-general"),
    path(f"{SETTINGS}/members", settings.members, name="settings-members"),
    path(f"{SETTINGS}/members/role", settings.change_role, name="settings-role"),
    path(f"{MEMBER}/invite", settings.invite_once_more, name="settings-invite"),
    path(f"{MEMBER}/remove", settings.remove, name="settings-remove-member"),
    path(f"{SETTINGS}/repos", repos.repos, name="settings-repos"),
    path(f"{SETTINGS}/parts", repos.add_part, name="settings-add-part"),
    path(REPO_SETTINGS, repos.change, name="settings-repo"),
    path(f"{REPO_SETTINGS}/index", repos.index, name="settings-index"),
    path(f"{REPO_SETTINGS}/remove", repos.remove, name="settings-remove-repo"),
    path(RULES, tracking.rules, name="settings-releases"),
    path(f"{RULES}/set", tracking.set_rule, name="settings-set-rule"),
    path(f"{RULES}/<uuid:rule_id>/delete", tracking.delete, name="settings-delete-rule"),
    path(f"{SETTINGS}/tickets", tickets.tickets, name="settings-tickets"),
    path(f"{SETTINGS}/tickets/set", tickets.set_tickets, name="settings-set-tickets"),
    path(f"{SETTINGS}/metrics", settings.metrics, name="settings-metrics"),
    path(f"{SETTINGS}/api", tokens.dashboard, name="settings-api"),
    path(TOKENS, tokens.make, name="settings-make-token"),
    path(f"{TOKENS}/<uuid:token_id>/rotate", tokens.rotate, name="settings-rotate-token"),
    path(f"{TOKENS}/<uuid:token_id>/revoke", tokens.revoke, name="settings-revoke-token"),
]
