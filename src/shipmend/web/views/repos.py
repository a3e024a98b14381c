"""Settings → Repos: add one, see how its index stands, change it, remove it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from shipmend.catalog.actions import choose_release_branch, ensure_part, ensure_repo, remove_repo
from shipmend.catalog.models import Repo
from shipmend.catalog.queries import Place, find_place, find_repo, parts_of, repos_of
from shipmend.core.values import ResourcePath, Role
from shipmend.delivery.queries import list_defects, list_releases
from shipmend.history.actions import request_index
from shipmend.web.forms import RepoForm, RepoSettingsForm
from shipmend.web.part_forms import PartForm, PathsForm
from shipmend.web.visits import ACT, FORM, Visit, within


@within(Role.MEMBER, *FORM)
def repos(visit: Visit) -> HttpResponse:
    """Every repo with the state of its index, and a form to add one."""
    form = RepoForm(visit.request.POST or None, tenant=visit.tenant)
    if form.is_valid():
        with form.refusals():
            _index(visit, ensure_repo(path=form.path, remote=form.remote, actor=visit.actor))
            messages.success(visit.request, f"{form.path} is registered.")
            return redirect("settings-repos", visit.tenant.slug)
    found = _repos(visit)
    return _shown(visit, found, form, PartForm(tenant=visit.tenant, repos=found))


@within(Role.MEMBER, *ACT)
def add_part(visit: Visit) -> HttpResponse:
    """Make some paths of a repo a repo of their own."""
    found = _repos(visit)
    form = PartForm(visit.request.POST, tenant=visit.tenant, repos=found)
    if form.is_valid():
        with form.refusals():
            _index(visit, ensure_part(path=form.path, source=form.source, globs=form.globs, actor=visit.actor))
            messages.success(visit.request, f"{form.path} is part of {form.source}.")
            return redirect("settings-repos", visit.tenant.slug)
    return _shown(visit, found, RepoForm(tenant=visit.tenant), form)


def _repos(visit: Visit) -> list[Repo]:
    return repos_of(Place(visit.tenant, ResourcePath(visit.tenant.slug)))


def _shown(visit: Visit, found: list[Repo], form: RepoForm, part_form: PartForm) -> HttpResponse:
    context = {"form": form, "part_form": part_form, "repos": found}
    return visit.render("settings/repos.html", context, status=400 if form.errors or part_form.errors else 200)


@within(Role.MEMBER, *FORM)
def change(visit: Visit, organization: str, repo: str) -> HttpResponse:
    """One repo's release branch and git address, or the paths of a part."""
    found = _find(visit, organization, repo)
    if found.source is not None:
        return _change_part(visit, found, found.source)
    form = RepoSettingsForm(visit.request.POST or None, initial={"release_branch": found.release_branch})
    if form.is_valid():
        with form.refusals():
            branch = form.text("release_branch")
            choose_release_branch(tenant=visit.tenant, repo_id=found.id, branch=branch, actor=visit.actor)
            _index(visit, ensure_repo(path=found.path, remote=form.remote, actor=visit.actor))
            messages.success(visit.request, "Saved.")
            return redirect("settings-repo", visit.tenant.slug, organization, repo)
    return visit.render("settings/repo.html", {"form": form, "repo": found}, status=400 if form.errors else 200)


def _change_part(visit: Visit, part: Repo, source: Repo) -> HttpResponse:
    form = PathsForm(visit.request.POST or None, initial={"paths": part.path_globs})
    if form.is_valid():
        with form.refusals():
            _index(visit, ensure_part(path=part.path, source=source.path, globs=form.globs, actor=visit.actor))
            messages.success(visit.request, "Saved.")
            return redirect("settings-repo", visit.tenant.slug, part.organization.slug, part.slug)
    return visit.render("settings/repo.html", {"form": form, "repo": part}, status=400 if form.errors else 200)


@within(Role.MEMBER, *ACT)
def index(visit: Visit, organization: str, repo: str) -> HttpResponse:
    """Fetch and index a repo again, in the background."""
    found = _find(visit, organization, repo)
    _index(visit, found)
    messages.info(visit.request, "Asked for: it is fetched and indexed within moments.")
    return redirect("repo", visit.tenant.slug, organization, repo)


@within(Role.OWNER, *FORM)
def remove(visit: Visit, organization: str, repo: str) -> HttpResponse:
    """Say what would be lost, and remove a repo."""
    found = _find(visit, organization, repo)
    if visit.request.method == "POST":
        remove_repo(tenant=visit.tenant, repo_id=found.id, actor=visit.actor)
        messages.success(visit.request, f"{found.path} is removed.")
        return redirect("settings-repos", visit.tenant.slug)
    place = find_place(visit.tenant, found.path)
    lost = {"releases": list_releases(place, size=1).total, "defects": list_defects(place, size=1).total}
    return visit.render("settings/repo_remove.html", {"repo": found, "parts": parts_of(found), **lost})


def _find(visit: Visit, organization: str, repo: str) -> Repo:
    return find_repo(ResourcePath(visit.tenant.slug, organization, repo))


def _index(visit: Visit, repo: Repo) -> None:
    if repo.home.remote_url:
        request_index(repo, reason=f"asked for by {visit.user.email}", refill=True)
