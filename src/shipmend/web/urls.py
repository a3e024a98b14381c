"""Every page, in reading order."""

from __future__ import annotations

from django.urls import path, register_converter
from django.urls.converters import PathConverter, StringConverter

from shipmend.core.values import SLUG
from shipmend.web.views import account, badge, changes, entities, live, repos, settings, tickets, tokens, tracking


class SlugConverter(StringConverter):
    """The name of an entity, an organization or a repo: what can be none has no page."""

    regex = SLUG


class KeyConverter(PathConverter):
    """A defect's key, which may hold slashes; a NUL is in none, and PostgreSQL would choke on it."""

    regex = r"[^\x00]+"


register_converter(SlugConverter, "name")
register_converter(KeyConverter, "key")

PLACE = "entities/<name:entity>"
REPO = f"{PLACE}/<name:organization>/<name:repo>"
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
    path(PLACE, entities.place, name="place"),
    path(f"{PLACE}/-/defects/<key:key>", entities.defect, name="defect"),
    path(f"{PLACE}/-/tickets/<key:key>", live.ticket, name="ticket"),
    path(f"{PLACE}/-/waiting", live.waiting, name="waiting"),
    path(f"{PLACE}/<name:organization>", entities.place, name="organization"),
    path(f"{PLACE}/<name:organization>/-/waiting", live.waiting, name="organization-waiting"),
    path(REPO, entities.place, name="repo"),
    path(f"{REPO}/index", entities.index_state, name="index-state"),
    path(f"{REPO}/releases/<uuid:release_id>", changes.release, name="release"),
    path(f"{REPO}/compare", changes.compare, name="compare"),
    path(f"{REPO}/waiting", live.waiting, name="repo-waiting"),
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
