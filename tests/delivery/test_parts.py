"""Releases of the parts of one repo: what they hold, against git and sets, and what waits for a commit."""

from __future__ import annotations

import random
from collections.abc import Iterable
from uuid import UUID

import pytest

from shipmend.audit.trail import COMMAND_LINE
from shipmend.catalog.actions import ensure_part
from shipmend.catalog.models import Repo
from shipmend.catalog.queries import RepoRef, find_place, ref_of, repo_by_id
from shipmend.core.change_texts import Form, as_text
from shipmend.core.changes import Lines, View
from shipmend.core.moments import iso
from shipmend.core.tracking import RuleKind, read_rule
from shipmend.core.values import Role
from shipmend.db.ids import new_id
from shipmend.delivery.changes import EVERYTHING, changes_between, changes_of_release
from shipmend.delivery.handlers import attribute_marked, follow_up_now
from shipmend.delivery.measuring import measure_repo
from shipmend.delivery.models import Release
from shipmend.delivery.ownership import runs_of_release
from shipmend.delivery.queries import list_releases
from shipmend.delivery.rules import preview
from shipmend.delivery.tracking import add_rule
from shipmend.git.paths import pathspecs
from tests.delivery.shop import DAY, Free
from tests.gitworld import GitRepo
from tests.history.monorepos import REST, A, B, expected, grow, numbers_of, touched
from tests.web.cast import Person
from tests.world import FIRST_DAY, Api, Reply, World

pytestmark = pytest.mark.database

PARTS = {"a": A, "b": B, "rest": REST}


class Mono:
    """A repo with three parts, and a script that reports releases of them."""

    def __init__(self, world: World, git: GitRepo) -> None:
        self.world, self.git, self.api = world, git, world.api()
        self.source = world.repo("mono", git=git)
        self.parts = {slug: world.part(slug, self.source, *globs) for slug, globs in PARTS.items()}

    def ref(self, slug: str) -> RepoRef:
        found = repo_by_id(self.world.tenant, self.parts[slug].id)
        assert found is not None
        assert found == ref_of(self.parts[slug]) or found.fetched_at  # a row may have been read before an index
        return found

    def release(self, slug: str, sha: str, day: float, **more: object) -> UUID:
        reply = report(self.api, self.parts[slug], sha, day, **more)
        assert reply.status == 200, reply.json
        return UUID(reply.json["release"]["id"])

    def owned(self, slug: str, release_id: UUID) -> set[int]:
        return as_set(runs_of_release(self.world.tenant, self.ref(slug), release_id))


def report(api: Api, repo: Repo, sha: str, day: float, **more: object) -> Reply:
    when = iso(FIRST_DAY + int((400 + day) * DAY))
    return api.post("releases", {"resource_path": str(repo.path), "release_sha": sha, "released_at": when, **more})


def as_set(runs: Iterable[tuple[int, int]]) -> set[int]:
    return {number for first, last in runs for number in range(first, last + 1)}


def ancestors(git: GitRepo, sha: str) -> set[str]:
    return set(git.git("rev-list", sha).split())


@pytest.mark.parametrize("seed", range(4))
def test_each_commit_of_a_part_belongs_to_the_first_release_of_the_part_that_contains_it(
    world: World, git_repo: GitRepo, seed: int
) -> None:
    chance = random.Random(seed)
    grow(git_repo, chance, steps=40)
    mono = Mono(world, git_repo)
    commits = git_repo.git("rev-list", "--all").split()
    shared = chance.sample(commits, 4)  # released of every part at once, as of a monorepo that ships as one
    for slug, part in mono.parts.items():
        shas = [*shared, *chance.sample(commits, 3)]
        days = {sha: 0 if sha in shared[:1] else chance.randrange(1, 300) for sha in shas}
        releases = {mono.release(slug, sha, day): (day, sha) for sha, day in days.items()}
        numbers = {sha: next(iter(numbers_of(part, [sha]))) for sha in shas}
        taken: set[str] = set()
        total = 0
        for release_id, (_, sha) in sorted(releases.items(), key=lambda item: (item[1][0], numbers[item[1][1]])):
            mine = (ancestors(git_repo, sha) - taken) & expected(git_repo, PARTS[slug], commits)
            taken |= ancestors(git_repo, sha)
            owned = mono.owned(slug, release_id)
            assert owned == numbers_of(part, mine)
            total += len(owned)
        assert total == len(taken & touched(part)), "each commit counts once"


def test_parts_released_at_one_commit_share_nothing_but_what_touches_both(world: World, git_repo: GitRepo) -> None:
    grow(git_repo, random.Random(1), steps=30, most_at_once=1)
    mono = Mono(world, git_repo)
    tip = git_repo.sha("main")
    held = {slug: mono.owned(slug, mono.release(slug, tip, 1)) for slug in PARTS}
    assert held["a"].isdisjoint(held["b"])
    readme = numbers_of(mono.source, expected(git_repo, ["README.md"]))
    assert (held["a"] | held["b"]) & held["rest"] <= readme
    whole = report(mono.api, mono.source, tip, 1).json["release"]["id"]
    source = repo_by_id(world.tenant, mono.source.id)
    assert source is not None
    everything = as_set(runs_of_release(world.tenant, source, UUID(whole)))
    there = ancestors(git_repo, tip)
    assert held["a"] | held["b"] | held["rest"] == everything & numbers_of(
        mono.source, expected(git_repo, ["**"], there)
    )
    assert len(everything) == len(there), "of the whole repo, all commits count as ever"


def test_a_release_without_a_commit_of_its_part_is_a_release_all_the_same(world: World, git_repo: GitRepo) -> None:
    first = git_repo.commit("Both", files={"services/a/x": "1", "services/b/x": "1"})
    second = git_repo.commit("Only b", files={"services/b/x": "2"})
    mono = Mono(world, git_repo)
    before, after = mono.release("a", first, 1), mono.release("a", second, 2)
    back = mono.release("a", first, 3)
    kinds = [Release.objects.get(id=each).kind for each in (before, after, back)]
    assert kinds == ["baseline", "forward", "rollback"], "ancestry is that of the whole repository"
    assert (mono.owned("a", before), mono.owned("a", after)) == ({1}, set())
    changes = changes_of_release(world.tenant, mono.ref("a"), back)
    assert (changes.commit_total, changes.withdrawn) == (0, 0)
    assert changes_of_release(world.tenant, mono.ref("a"), after).files.total is not None
    assert changes_of_release(world.tenant, mono.ref("a"), after).files.files == ()


@pytest.mark.parametrize("view", list(View))
def test_what_changed_is_told_of_the_paths_of_the_part_alone(world: World, git_repo: GitRepo, view: View) -> None:
    git_repo.commit("Base", files={"services/a/x": "1\n", "services/b/x": "1\n", "README.md": "1\n"})
    old = git_repo.sha("main")
    for n in range(3):
        git_repo.commit(f"Both {n}", files={"services/a/x": f"{n}\n", "services/b/y": f"{n}\n"})
        git_repo.commit(f"Only b {n}", files={"services/b/x": f"{n}\n"})
    new = git_repo.sha("main")
    mono = Mono(world, git_repo)
    mono.release("a", old, 1)
    release = mono.release("a", new, 2)
    changes = changes_of_release(world.tenant, mono.ref("a"), release, view, EVERYTHING)
    assert [commit.subject for commit in changes.commits] == ["Both 2", "Both 1", "Both 0"]
    assert (changes.files.lines, [file.path for file in changes.files.files]) == (Lines.PENDING, ["services/a/x"])
    measure_repo(world.tenant, mono.ref("a"), Free())
    counted = changes_of_release(world.tenant, mono.ref("a"), release, view, EVERYTHING).files
    assert (counted.lines, [file[0] for file in counted.files]) == (Lines.COUNTED, ["services/a/x"])
    stat = git_repo.git("diff-tree", "-r", "--numstat", old, new, "--", *pathspecs(A)).split("\t")
    assert counted.total is not None
    assert [counted.total.insertions, counted.total.deletions] == [int(stat[0]), int(stat[1])]
    between = changes_between(world.tenant, mono.ref("a"), new, old)
    assert (between.commit_total, between.withdrawn) == (0, 3)


def test_other_paths_make_other_changes_of_the_same_releases(world: World, git_repo: GitRepo) -> None:
    old = git_repo.commit("Base", files={"services/a/x": "1\n", "services/b/x": "1\n"})
    new = git_repo.commit("Both", files={"services/a/x": "2\n", "services/b/x": "2\n3\n"})
    mono = Mono(world, git_repo)
    mono.release("a", old, 1)
    release = mono.release("a", new, 2)
    measure_repo(world.tenant, mono.ref("a"), Free())
    changed = ensure_part(path=mono.parts["a"].path, source=mono.source.path, globs=B, actor=COMMAND_LINE)
    assert [file.path for file in changes_of_release(world.tenant, mono.ref("a"), release).files.files] == [
        "services/b/x"
    ], "what was counted for the paths of before is not shown"
    gap = changes_of_release(world.tenant, mono.ref("a"), release).gap
    assert "may be missing" in gap
    call = f"releases/{release}/changes"
    assert mono.api.get(call).json["warnings"] == [gap]
    assert gap in as_text(changes_of_release(world.tenant, mono.ref("a"), release), Form.MARKDOWN)
    assert gap in Person.of(world, Role.VIEWER).get(f"/entities/{mono.parts['a'].path}/releases/{release}").text
    world.index(changed)
    assert mono.api.get(call).json["warnings"] == []
    measure_repo(world.tenant, mono.ref("a"), Free())
    counted = changes_of_release(world.tenant, mono.ref("a"), release)
    assert counted.files.total is not None
    assert (counted.commit_total, counted.files.total.insertions) == (1, 2)


def test_shas_times_and_fixes_are_found_in_the_source(world: World, git_repo: GitRepo) -> None:
    first = git_repo.commit("One", at=FIRST_DAY, files={"services/a/x": "1"})
    git_repo.commit("Two", at=FIRST_DAY + DAY, files={"services/b/x": "1"})
    mono = Mono(world, git_repo)
    path = str(mono.parts["a"].path)
    by_short = mono.api.post(
        "releases", resource_path=path, release_sha=first[:9], released_at=iso(FIRST_DAY + 5 * DAY)
    )
    assert by_short.json["release"]["release_sha"] == first
    by_time = mono.api.post("releases", resource_path=path, released_at=iso(FIRST_DAY + DAY // 2))
    assert by_time.json["release"]["release_sha"] == first
    too_early = mono.api.post("releases", resource_path=path, released_at=iso(FIRST_DAY - DAY))
    assert too_early.status == 400
    call = {"resource_path": path, "defect_key": "D-1", "detected_at": iso(FIRST_DAY - DAY), "fix_released_sha": first}
    defect = mono.api.post("critical_defects", call)
    assert defect.json["defect"]["resolved_at"] == iso(FIRST_DAY)
    views = list_releases(find_place(world.tenant, mono.parts["a"].path)).items
    assert [view.subject for view in views] == ["One", "One"]


def test_a_commit_pushed_a_moment_ago_is_fetched_for_a_part(world: World, git_repo: GitRepo) -> None:
    git_repo.commit("One", files={"services/a/x": "1"})
    mono = Mono(world, git_repo)
    pushed = git_repo.commit("Two", files={"services/a/x": "2"})
    reply = report(mono.api, mono.parts["a"], pushed, 1)
    assert (reply.status, reply.json["release"]["commit_state"]) == (202, "pending"), "no worker is there to fetch"
    absent = report(mono.api, mono.parts["b"], "e" * 40, 1).json["release"]["id"]
    world.index(mono.source)
    follow_up_now(mono.parts["b"])
    settled = Release.objects.get(id=reply.json["release"]["id"])
    assert (settled.commit_state, settled.release_sha) == ("known", pushed)
    assert Release.objects.get(id=absent).commit_state in ("pending", "rejected")
    assert mono.owned("a", settled.id) == {1, 2}


def test_a_part_of_a_repo_without_a_remote_takes_whole_shas_unverified(world: World) -> None:
    source = world.repo("named")
    part = ensure_part(path=world.repo_path("a"), source=source.path, globs=A, actor=COMMAND_LINE)
    reply = report(world.api(), part, "ab" * 20, 1)
    assert reply.json["release"]["commit_state"] == "unverified"
    assert runs_of_release(world.tenant, ref_of(part), UUID(reply.json["release"]["id"])) == []


def test_the_worker_attributes_the_releases_of_parts(world: World, git_repo: GitRepo) -> None:
    sha = git_repo.commit("One", files={"services/a/x": "1"})
    mono = Mono(world, git_repo)
    release = mono.release("a", sha, 1)
    attribute_marked()
    assert not Release.objects.get(id=release).needs_attribution


def test_rules_make_releases_of_parts_from_the_tags_of_the_source(world: World, git_repo: GitRepo) -> None:
    git_repo.tag("a/v1", git_repo.commit("One", files={"services/a/x": "1"}))
    git_repo.tag("b/v1", git_repo.commit("Two", files={"services/b/x": "1"}))
    mono = Mono(world, git_repo)
    for slug in ("a", "b"):
        part = Repo.objects.select_related("entity", "organization", "source").get(id=mono.parts[slug].id)
        rule = read_rule(new_id(), RuleKind.TAG_CONTAINS, f"{slug}/", "production")
        assert preview(world.tenant, rule, [part]).releases == 1
        add_rule(tenant=world.tenant, rule=rule, repo=mono.ref(slug), actor=COMMAND_LINE)
    follow_up_now(mono.source)
    made = Release.objects.filter(entity_id=world.tenant.id).order_by("name")
    assert [(release.name, release.repo_id) for release in made] == [
        ("a/v1", mono.parts["a"].id),
        ("b/v1", mono.parts["b"].id),
    ]


def test_nothing_of_a_part_is_reached_from_another_entity(world: World, stranger: World, git_repo: GitRepo) -> None:
    sha = git_repo.commit("One", files={"services/a/x": "1"})
    mono = Mono(world, git_repo)
    release = mono.release("a", sha, 1)
    assert repo_by_id(stranger.tenant, mono.parts["a"].id) is None
    assert runs_of_release(stranger.tenant, mono.ref("a"), release) == []
