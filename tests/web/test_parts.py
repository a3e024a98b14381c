"""Settings → Repos: parts of a repo."""

from __future__ import annotations

import re

import pytest

from shipmend.audit import trail
from shipmend.audit.trail import COMMAND_LINE
from shipmend.catalog.actions import ensure_part
from shipmend.catalog.models import Repo
from shipmend.core.values import Role
from shipmend.history.actions import SIFT
from shipmend.jobs.models import Job
from tests.gitworld import GitRepo
from tests.snapshot import stored_rows
from tests.web.cast import Person, Seen
from tests.world import World

pytestmark = pytest.mark.database


@pytest.fixture
def member(world: World) -> Person:
    return Person.of(world, Role.MEMBER)


@pytest.fixture
def settings(world: World) -> str:
    return f"/settings/{world.tenant.slug}"


@pytest.fixture
def source(world: World, git_repo: GitRepo) -> Repo:
    git_repo.commit("One", files={"services/a/x": "1"})
    git_repo.commit("Two", files={"services/b/x": "1"})
    return world.repo("mono", git=git_repo)


def add(person: Person, world: World, paths: str, *, slug: str = "a", source: str = "mono") -> Seen:
    form = {"resource_path": world.repo_path(slug), "source_path": world.repo_path(source), "paths": paths}
    return person.post(f"/settings/{world.tenant.slug}/parts", **{f"part-{name}": form[name] for name in form})


def test_a_member_makes_a_part_and_sees_what_it_counts(
    world: World, member: Person, settings: str, source: Repo
) -> None:
    assert "Add a part of another repo" in member.get(f"{settings}/repos").text
    assert add(member, world, "services/a/\r\n!**/*.md\r\n").to == f"{settings}/repos"
    assert Job.objects.filter(entity_id=world.tenant.id, kind=SIFT, key=str(source.id)).exists()
    listed = member.get(f"{settings}/repos").text
    assert "part of acme/mono" in listed
    world.index(source)
    page = member.get(f"/entities/{world.repo_path('a')}").text
    assert "part of acme/mono : services/a/** !**/*.md" in page
    assert "1 commit," in page
    assert trail.latest(world.tenant.id)[0].action == "repo_changed"


def test_the_form_is_offered_where_there_is_a_repo_to_have_parts(member: Person, settings: str) -> None:
    assert "Add a part of another repo" not in member.get(f"{settings}/repos").text


def test_a_part_is_not_offered_as_a_source(world: World, member: Person, settings: str, source: Repo) -> None:
    part = world.part("a", source, "services/a/**")
    options = re.findall(r'<option value="([^"]+)"', member.get(f"{settings}/repos").html)
    assert str(source.path) in options
    assert str(part.path) not in options
    assert add(member, world, "x", slug="b", source="a").status == 400


@pytest.mark.parametrize(
    ("paths", "says"),
    [("", "required"), ("/srv", "absolute"), ("ok\n../up", "dots"), ("-x", "option"), ("!", "an exception of nothing")],
)
def test_paths_that_are_none_are_refused_at_their_field_with_what_was_typed(
    world: World, member: Person, source: Repo, paths: str, says: str
) -> None:
    before = stored_rows(world.tenant.id)
    seen = add(member, world, paths)
    assert seen.status == 400
    error = re.search(r'id="id_part-paths_error">(.*?)</p>', seen.html)
    assert error
    assert says in error[1]
    assert all(line in seen.html for line in paths.splitlines())
    assert stored_rows(world.tenant.id) == before
    assert source.parts.count() == 0


@pytest.mark.parametrize(
    ("slug", "says"),
    [("mono", "the repo itself"), ("other", "git address of its own"), ("sh op", "not a resource path")],
)
def test_a_path_that_can_not_be_a_part_is_refused(
    world: World, member: Person, source: Repo, git_repo: GitRepo, slug: str, says: str
) -> None:
    world.repo("other", git=git_repo)
    before = stored_rows(world.tenant.id)
    form = {
        "part-resource_path": f"{world.tenant.slug}/acme/{slug}",
        "part-source_path": source.path,
        "part-paths": "a",
    }
    seen = member.post(f"/settings/{world.tenant.slug}/parts", **form)
    assert seen.status == 400
    assert says in seen.text
    assert stored_rows(world.tenant.id) == before


def test_a_part_of_another_entitys_repo_can_not_be_made(
    world: World, stranger: World, member: Person, source: Repo, git_repo: GitRepo
) -> None:
    theirs = stranger.repo("theirs", git=git_repo)
    form = {"part-resource_path": world.repo_path("a"), "part-source_path": theirs.path, "part-paths": "a"}
    assert member.post(f"/settings/{world.tenant.slug}/parts", **form).status == 400
    assert member.post(f"/settings/{stranger.tenant.slug}/parts", **form).status == 404
    assert not Repo.objects.filter(entity_id=world.tenant.id, slug="a").exists()


def test_the_paths_of_a_part_are_changed_and_nothing_else_of_it(
    world: World, member: Person, settings: str, source: Repo
) -> None:
    part = world.part("a", source, "services/a/**")
    page = member.get(f"{settings}/repos/acme/a")
    assert "services/a/**</textarea>" in page.html
    assert "Release branch" not in page.text
    assert "New git address" not in page.text
    changed = member.post(f"{settings}/repos/acme/a", paths="services/**", remote_url="https://git.invalid/x.git")
    assert changed.to == f"{settings}/repos/acme/a"
    part.refresh_from_db()
    assert (part.globs, part.remote_url) == (("services/**",), "")
    world.index(source)
    part.refresh_from_db()
    assert part.commit_count == 2
    assert member.post(f"{settings}/repos/acme/a", paths="/x").status == 400


def test_index_again_of_a_part_is_one_of_its_source(world: World, member: Person, settings: str, source: Repo) -> None:
    world.part("a", source, "services/a/**")
    Job.objects.filter(entity_id=world.tenant.id).delete()
    member.post(f"{settings}/repos/acme/a/index")
    assert [job.key for job in Job.objects.filter(entity_id=world.tenant.id)] == [str(source.id)]


def test_a_repo_with_parts_says_so_before_and_when_it_is_to_be_removed(
    world: World, settings: str, source: Repo
) -> None:
    owner = Person.of(world, Role.OWNER)
    part = world.part("a", source, "services/a/**")
    assert "have to be removed first: acme/a" in owner.get(f"{settings}/repos/acme/mono/remove").text
    refused = owner.post(f"{settings}/repos/acme/mono/remove")
    assert refused.status == 400
    assert f"has parts ({part.path}): remove those first" in refused.text
    assert owner.post(f"{settings}/repos/acme/a/remove").to == f"{settings}/repos"
    assert owner.post(f"{settings}/repos/acme/mono/remove").to == f"{settings}/repos"


def test_a_part_of_a_repo_without_a_remote_asks_for_no_index(world: World, member: Person) -> None:
    world.repo("mono")
    assert add(member, world, "services/a/**").status == 302
    assert not Job.objects.filter(entity_id=world.tenant.id).exists()


def test_many_paths_are_not_all_listed(world: World, member: Person, source: Repo) -> None:
    ensure_part(path=world.repo_path("a"), source=source.path, globs=[f"p{n}/" for n in range(30)], actor=COMMAND_LINE)
    page = member.get(f"/entities/{world.repo_path('a')}").text
    assert "p7/** and 22 more" in page


def test_a_viewer_makes_no_part(world: World, source: Repo) -> None:
    assert add(Person.of(world, Role.VIEWER), world, "a").status == 403
    assert source.parts.count() == 0
