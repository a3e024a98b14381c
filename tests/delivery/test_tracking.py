"""Tracking rules on real histories: what they make, whatever the way there, and what people and calls have said."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import pytest
from django.db import connection

from shipmend.audit import trail
from shipmend.audit.models import AuditEvent
from shipmend.audit.trail import COMMAND_LINE
from shipmend.catalog.actions import choose_release_branch, remove_repo
from shipmend.catalog.models import Repo
from shipmend.catalog.queries import RepoRef, repo_by_id
from shipmend.core.errors import Invalid, NotFound
from shipmend.core.releases import DAY
from shipmend.core.tracking import Candidate, RuleKind, read_rule, to_do
from shipmend.db.clock import epoch_now
from shipmend.db.ids import new_id
from shipmend.db.sql import Statement
from shipmend.delivery import ownership, store, tracking
from shipmend.delivery import rules as reads
from shipmend.delivery.handlers import follow_up_now
from shipmend.delivery.models import Release, Tracked, TrackingRule
from shipmend.delivery.tracking import add_rule, delete_rule
from shipmend.history import candidates
from tests.gitworld import STEP, GitRepo
from tests.snapshot import stored_rows
from tests.world import World

pytestmark = pytest.mark.database

K = RuleKind


class Made(NamedTuple):
    """A release as it matters here."""

    name: str
    sha: str
    at: int
    kind: str | None
    environment: str = "production"


class Shop:
    """A repo with rules, and what they made of it."""

    def __init__(self, world: World, git: GitRepo, slug: str = "shop", row: Repo | None = None) -> None:
        self.world, self.git = world, git
        self.row = row or world.repo(slug, git)
        self.api = world.api()
        self.path = str(self.row.path)

    @property
    def ref(self) -> RepoRef:
        found = repo_by_id(self.world.tenant, self.row.id)
        assert found
        return found

    def rule(self, kind: RuleKind, value: str = "", environment: str = "production", *, here: bool = True) -> UUID:
        """A rule of this repo, or of all, applied to this one."""
        wanted = read_rule(new_id(), kind, value, environment)
        row = add_rule(tenant=self.world.tenant, rule=wanted, repo=self.ref if here else None, actor=COMMAND_LINE)
        follow_up_now(self.row)
        return row.id

    def drop(self, rule_id: UUID, *, keep: bool) -> None:
        """Delete a rule."""
        tenant = self.world.tenant
        delete_rule(tenant=tenant, rule_id=rule_id, keep_releases=keep, actor=COMMAND_LINE, now=epoch_now())
        follow_up_now(self.row)

    def index(self) -> None:
        """Index, and do what follows."""
        self.world.index(self.row)
        follow_up_now(self.row)

    def report(self, sha: str, at: int, **more: str) -> dict[str, object]:
        """A release by a call."""
        reply = self.api.post("releases", {"resource_path": self.path, "release_sha": sha, "released_at": at, **more})
        assert reply.status in (200, 202), reply.json
        found: dict[str, object] = {**reply.json["release"], "action": reply.json["action_em"]}
        return found

    def made(self) -> list[Made]:
        """Every release, the earliest first."""
        rows = Release.objects.filter(entity_id=self.world.tenant.id, repo_id=self.row.id, deleted_at=None)
        return sorted(
            (Made(row.name, row.release_sha, row.released_at or 0, row.kind, row.environment) for row in rows),
            key=lambda each: (each.at, each.name),
        )

    def names(self) -> list[str]:
        """Their names, in order of time."""
        return [each.name for each in self.made()]

    def trail_of(self, release: Release) -> list[tuple[str, str]]:
        """(action, actor) of all that happened to a release, the first first."""
        events = AuditEvent.objects.filter(entity_id=self.world.tenant.id, subject_id=release.id).order_by("id")
        return [(event.action, event.actor) for event in events]


@pytest.fixture
def shop(world: World, git_repo: GitRepo) -> Shop:
    git_repo.commit("Start")
    git_repo.tag("v1.0")
    git_repo.commit("Release: second", files={"a": "1"})
    git_repo.commit("On a topic", branch="topic", files={"b": "1"})
    git_repo.merge("topic", message="Merge the topic")
    git_repo.tag("v1.1", annotated=True)
    git_repo.commit("deploy")
    git_repo.tag("v2.0-beta")
    return Shop(world, git_repo)


# What a rule makes


def test_tags_become_releases_at_the_time_of_the_tag_or_of_its_commit(shop: Shop) -> None:
    shop.rule(K.ANY_TAG)
    lines = shop.git.git("for-each-ref", "--format=%(refname:short) %(creatordate:unix)", "refs/tags").splitlines()
    times = {name: int(at) for name, at in map(str.split, lines)}
    assert shop.made() == [
        Made("v1.0", shop.git.git("rev-parse", "v1.0^{}"), times["v1.0"], "baseline"),
        Made("v1.1", shop.git.git("rev-parse", "v1.1^{}"), times["v1.1"], "forward"),
        Made("v2.0-beta", shop.git.git("rev-parse", "v2.0-beta^{}"), times["v2.0-beta"], "forward"),
    ]


@pytest.mark.parametrize(
    ("kind", "value", "names"),
    [
        (K.TAG_CONTAINS, "beta", ["v2.0-beta"]),
        (K.TAG_CONTAINS, "BETA", []),
        (K.TAG_MATCHES, r"^v\d+\.\d+$", ["v1.0", "v1.1"]),
        (K.COMMIT_ON_BRANCH, "", ["Start", "Release: second", "Merge the topic", "deploy"]),
        (K.COMMIT_ON_BRANCH, "topic", ["Start", "Release: second", "On a topic"]),
        (K.COMMIT_ON_BRANCH, "no-such-branch", []),
        (K.MERGE_INTO_BRANCH, "main", ["Merge the topic"]),
        (K.MERGE_INTO_BRANCH, "topic", []),
        (K.MESSAGE_CONTAINS, "RELEASE", ["Release: second"]),
        (K.MESSAGE_CONTAINS, "on a topic", []),
        (K.MESSAGE_EQUALS, "deploy", ["deploy"]),
        (K.MESSAGE_EQUALS, "Deploy", []),
    ],
)
def test_each_kind_of_rule_makes_releases_of_what_it_names(
    shop: Shop, kind: RuleKind, value: str, names: list[str]
) -> None:
    shop.rule(kind, value)
    assert shop.names() == names


def test_commits_are_released_when_they_were_committed(shop: Shop) -> None:
    shop.rule(K.COMMIT_ON_BRANCH)
    told = shop.git.git("log", "--first-parent", "--reverse", "--format=%H %ct", "main").splitlines()
    assert [(each.sha, str(each.at)) for each in shop.made()] == [tuple(line.split()) for line in told]
    assert [each.kind for each in shop.made()] == ["baseline", "forward", "forward", "forward"]


def test_an_environment_is_a_stream_of_its_own(shop: Shop) -> None:
    shop.rule(K.ANY_TAG, environment="Staging")
    shop.rule(K.TAG_CONTAINS, "v1")
    kinds = {(each.name, each.environment): each.kind for each in shop.made()}
    assert kinds == {
        ("v1.0", "staging"): "baseline",
        ("v1.1", "staging"): "forward",
        ("v2.0-beta", "staging"): "forward",
        ("v1.0", "production"): "baseline",
        ("v1.1", "production"): "forward",
    }


def test_a_rule_of_all_repos_takes_each_of_them_and_those_that_come_later(
    world: World, shop: Shop, tmp_path: Path
) -> None:
    def other(slug: str) -> Shop:
        git = GitRepo(tmp_path / slug)
        git.commit("Start")
        git.tag(f"{slug}-1")
        return Shop(world, git, slug)

    there = other("there")
    shop.rule(K.ANY_TAG, here=False)
    follow_up_now(there.row)
    later = other("later")
    follow_up_now(later.row)
    assert (len(shop.names()), there.names(), later.names()) == (3, ["there-1"], ["later-1"])


def test_a_rule_of_one_repo_leaves_the_others_alone(world: World, shop: Shop, tmp_path: Path) -> None:
    git = GitRepo(tmp_path / "other")
    git.commit("Start")
    git.tag("v1")
    other = Shop(world, git, "other")
    shop.rule(K.ANY_TAG)
    other.index()
    assert other.names() == []


def test_a_rule_of_one_entity_says_nothing_in_another(world: World, stranger: World, shop: Shop) -> None:
    shop.rule(K.ANY_TAG, here=False)
    theirs = Shop(stranger, shop.git)
    theirs.index()
    assert theirs.names() == []


def test_what_stands_where_no_release_can_be_is_passed_over(shop: Shop) -> None:
    shop.git.git("tag", "on-a-tree", "main^{tree}")
    shop.git.git("tag", "on-a-file", shop.git.git("hash-object", "-w", "--stdin", stdin="x"))
    timeless = shop.git.raw_commit(committer=b"A <a@b> 99999999999999 +0000", branch="odd")
    shop.git.tag("timeless", timeless)
    shop.index()
    shop.rule(K.ANY_TAG)
    assert shop.names() == ["v1.0", "v1.1", "v2.0-beta"]


def test_a_tag_on_a_commit_of_no_branch_and_a_tag_on_a_tag_are_releases(shop: Shop) -> None:
    shop.git.commit("Aside", branch="aside")
    shop.git.tag("aside", "aside")
    shop.git.tag("again", shop.git.tag("inner", "aside", annotated=True), annotated=True)
    shop.git.delete_branch("aside")
    shop.index()
    shop.rule(K.ANY_TAG)
    assert {"aside", "inner", "again"} <= set(shop.names())


def test_a_tag_from_the_future_waits_for_its_time(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    at = epoch_now() + 30 * DAY
    shop.git.tag("v9", annotated=True, at=at)
    shop.index()
    shop.rule(K.ANY_TAG)
    assert "v9" not in shop.names()
    monkeypatch.setattr("shipmend.delivery.handlers.epoch_now", lambda: at)
    shop.index()
    assert shop.names()[-1] == "v9"


# New history


def test_new_tags_and_commits_are_taken_after_the_next_index(shop: Shop) -> None:
    shop.rule(K.ANY_TAG)
    shop.git.commit("More")
    shop.git.tag("v3.0")
    shop.index()
    assert shop.names() == ["v1.0", "v1.1", "v2.0-beta", "v3.0"]


def test_a_late_tag_on_an_old_commit_takes_its_place_and_changes_the_kind_of_the_next(shop: Shop) -> None:
    shop.rule(K.TAG_CONTAINS, "v")
    first = shop.git.git("rev-parse", "v1.0^{}")
    earlier = shop.git.commit("Before all", at=1_600_000_000, branch="old", parents=[])
    shop.git.tag("v0.9", earlier)
    shop.index()
    assert [(each.name, each.kind) for each in shop.made()][:2] == [("v0.9", "baseline"), ("v1.0", "diverged")]
    assert shop.made()[1].sha == first


def test_repeated_runs_change_nothing(shop: Shop) -> None:
    shop.rule(K.ANY_TAG)
    shop.rule(K.COMMIT_ON_BRANCH)
    before = stored_rows(shop.world.tenant.id, without=frozenset({"jobs_job", "catalog_repo"}))
    for again in range(2):
        if again:
            Tracked.objects.filter(repo_id=shop.row.id).delete()
        shop.index()
        after = stored_rows(shop.world.tenant.id, without=frozenset({"jobs_job", "catalog_repo"}))
        assert _without_ids(after) == _without_ids(before)


def _without_ids(rows: dict[str, list[str]]) -> dict[str, list[str]]:
    return {table: kept for table, kept in rows.items() if table != "delivery_tracked"}


def test_nothing_is_read_again_while_neither_history_nor_rules_have_changed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.rule(K.ANY_TAG)
    looked: list[int] = []

    def tags(entity_id: UUID, repo: RepoRef) -> list[Candidate]:
        looked.append(repo.number)
        return []

    monkeypatch.setattr(candidates, "tags", tags)
    shop.index()
    assert not looked
    shop.git.tag("v9", annotated=True)
    shop.index()
    assert looked


# A tag that moves, a branch that is rewritten


def test_a_moved_tag_takes_its_old_release_back_and_makes_a_new_one(shop: Shop) -> None:
    shop.rule(K.ANY_TAG)
    old = Release.objects.get(repo_id=shop.row.id, name="v1.0")
    shop.git.tag("v1.0", "main")
    shop.index()
    assert [each.sha for each in shop.made() if each.name == "v1.0"] == []
    # It now stands on one commit with v2.0-beta, whose name says more.
    assert shop.names() == ["v1.1", "v2.0-beta"]
    assert shop.made()[0].kind == "baseline"
    assert [action for action, _ in shop.trail_of(old)] == ["release_created", "release_taken_back"]
    assert {actor for _, actor in shop.trail_of(old)} == {"rule: any tag"}
    shop.git.tag("v1.0", old.release_sha)
    shop.index()
    assert shop.names() == ["v1.0", "v1.1", "v2.0-beta"]
    back = Release.objects.get(repo_id=shop.row.id, name="v1.0", deleted_at=None)
    assert back.id == old.id
    assert [action for action, _ in shop.trail_of(old)][2:] == ["release_created"]


def test_an_annotated_tag_made_again_at_another_time_moves_its_release(shop: Shop) -> None:
    shop.rule(K.TAG_CONTAINS, "v1.1")
    (before,) = shop.made()
    shop.git.tag("v1.1", before.sha, annotated=True, at=before.at + STEP)
    shop.index()
    assert shop.made() == [before._replace(at=before.at + STEP)]


def test_a_deleted_tag_takes_its_release_back(shop: Shop) -> None:
    shop.rule(K.ANY_TAG)
    shop.git.delete_tag("v1.1")
    shop.index()
    assert [(each.name, each.kind) for each in shop.made()] == [("v1.0", "baseline"), ("v2.0-beta", "forward")]


def test_a_rewritten_branch_has_the_releases_of_its_new_history(shop: Shop) -> None:
    shop.rule(K.COMMIT_ON_BRANCH)
    shop.git.point("main", shop.git.git("rev-parse", "main~2"))
    shop.git.commit("Another way")
    shop.index()
    assert shop.names() == ["Start", "Release: second", "Another way"]


def test_another_release_branch_has_its_own_messages(shop: Shop) -> None:
    shop.rule(K.MESSAGE_CONTAINS, "topic")
    assert shop.names() == ["Merge the topic"]
    choose_release_branch(tenant=shop.world.tenant, repo_id=shop.row.id, branch="topic", actor=COMMAND_LINE)
    shop.row.refresh_from_db()
    shop.index()
    assert shop.names() == ["On a topic"]


@pytest.mark.parametrize("seed", range(6))
def test_whatever_the_way_there_the_end_is_the_same(world: World, tmp_path: Path, seed: int) -> None:
    """One repo is indexed after every change, one only now and then, one at the end; rules come at any time."""
    chance = random.Random(seed)
    git = GitRepo(tmp_path / "upstream")
    git.commit("Start")
    shops = [Shop(world, git, slug) for slug in ("often", "seldom")]
    rules = [
        (K.ANY_TAG, "", "production"),
        (K.TAG_CONTAINS, "1", "production"),
        (K.COMMIT_ON_BRANCH, "", "staging"),
        (K.MERGE_INTO_BRANCH, "", "production"),
        (K.MESSAGE_CONTAINS, "fix", "staging"),
        (K.COMMIT_ON_BRANCH, "topic", "production"),
    ]
    for kind, value, environment in rules:
        for _ in range(chance.randrange(4)):
            _change(git, chance)
            shops[0].index()
        shops[0].rule(kind, value, environment, here=False)
    for _ in range(12):
        _change(git, chance)
        shops[0].index()
        if chance.random() < 0.2:
            shops[1].index()
    shops.append(Shop(world, git, "at-once"))
    for shop in shops:
        shop.index()
    often, seldom, at_once = (shop.made() for shop in shops)
    assert often == seldom == at_once
    assert often
    owners = [
        {
            (row.release_sha, row.released_at, row.rule_id)
            for row in Release.objects.filter(repo=shop.row, deleted_at=None)
        }
        for shop in shops
    ]
    assert owners[0] == owners[1] == owners[2]


def _change(git: GitRepo, chance: random.Random) -> None:
    """Something that people do to a repository."""
    tags = git.git("tag").split()
    heads = list(git.commits)
    what = chance.randrange(8)
    if what < 3:
        said = chance.choice(["Fix it", "Add it", "A fix", "Tidy up"])
        git.commit(said, branch=chance.choice(["main", "main", "topic"]))
    elif what == 3 and "topic" in git.git("branch", "--format=%(refname:short)").split():
        git.merge("topic")
    elif what == 4 and tags:
        git.delete_tag(chance.choice(tags))
    elif what == 5:
        git.point("main", chance.choice(heads))
    else:
        git.tag(f"v{chance.randrange(6)}", chance.choice(heads), annotated=chance.random() < 0.5)


# What calls and people say


def test_a_release_reported_by_a_call_is_left_as_it_is(shop: Shop) -> None:
    sha = shop.git.git("rev-parse", "v1.0^{}")
    at = int(shop.git.git("show", "--no-patch", "--format=%ct", sha))
    reported = shop.report(sha, at, name="by call")
    shop.rule(K.ANY_TAG)
    assert shop.names() == ["by call", "v1.1", "v2.0-beta"]
    shop.git.delete_tag("v1.0")
    shop.index()
    assert shop.names() == ["by call", "v1.1", "v2.0-beta"]
    assert Release.objects.get(id=str(reported["id"])).rule_id is None


def test_what_a_call_reports_after_the_rule_belongs_to_the_call(shop: Shop) -> None:
    rule_id = shop.rule(K.ANY_TAG)
    stored = Release.objects.get(repo_id=shop.row.id, name="v1.0")
    assert stored.released_at
    reported = shop.report(stored.release_sha, stored.released_at, issue_keys_resolved="SHOP-1")
    assert (reported["id"], reported["name"]) == (str(stored.id), "v1.0")
    assert str(reported["action"]) == "action_release_updated"
    assert shop.report(stored.release_sha, stored.released_at)["action"] == "action_release_unchanged"
    shop.git.delete_tag("v1.0")
    shop.index()
    shop.drop(rule_id, keep=False)
    assert shop.names() == ["v1.0"]


def test_a_release_deleted_by_a_person_is_not_made_again(shop: Shop) -> None:
    shop.rule(K.ANY_TAG)
    stored = Release.objects.get(repo_id=shop.row.id, name="v1.0")
    assert shop.api.delete(f"releases/{stored.id}").status == 200
    Tracked.objects.filter(repo_id=shop.row.id).delete()
    shop.index()
    assert shop.names() == ["v1.1", "v2.0-beta"]
    shop.rule(K.TAG_CONTAINS, "1.0")
    assert shop.names() == ["v1.1", "v2.0-beta"]
    assert stored.released_at
    shop.report(stored.release_sha, stored.released_at, name="after all")
    assert shop.names() == ["after all", "v1.1", "v2.0-beta"]


def test_a_report_that_waited_for_its_commit_takes_over_what_a_rule_made_of_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.rule(K.ANY_TAG)
    sha = shop.git.commit("Pushed a moment ago")
    at = int(shop.git.git("show", "--no-patch", "--format=%ct", sha))
    monkeypatch.setattr("shipmend.delivery.commits.fetch_and_wait", lambda *_: False)
    assert shop.report(sha[:12], at, name="told")["commit_state"] == "pending"
    shop.git.tag("v3")
    shop.index()
    assert shop.names() == ["v1.0", "v1.1", "v2.0-beta", "told"]
    shop.git.delete_tag("v3")
    shop.index()
    assert shop.names()[-1] == "told"


def test_a_report_that_waited_finds_the_row_that_a_rule_took_back(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.rule(K.ANY_TAG)
    old = Release.objects.get(repo_id=shop.row.id, name="v2.0-beta")
    assert old.released_at
    shop.git.delete_tag("v2.0-beta")
    shop.index()
    monkeypatch.setattr("shipmend.delivery.commits.known_commit", lambda *_, **__: None)
    monkeypatch.setattr("shipmend.delivery.commits.fetch_and_wait", lambda *_: False)
    assert shop.report(old.release_sha[:10], old.released_at, name="told")["commit_state"] == "pending"
    monkeypatch.undo()
    shop.index()
    assert shop.names() == ["v1.0", "v1.1", "told"]
    assert Release.objects.get(repo_id=shop.row.id, name="told", deleted_at=None).id == old.id


def test_a_call_between_the_plan_and_its_writing_counts(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def and_then_a_call(*args: object) -> object:
        events = to_do(*args)  # type: ignore[arg-type]  # whatever is passed is passed on
        shop.report(events[0].sha, events[0].at, name="just now")
        return events

    monkeypatch.setattr(tracking, "to_do", and_then_a_call)
    shop.rule(K.ANY_TAG)
    assert shop.names() == ["just now", "v1.1", "v2.0-beta"]


# Two rules, and rules that go


def test_the_rule_that_came_first_makes_what_two_rules_want_and_the_other_inherits_it(shop: Shop) -> None:
    first = shop.rule(K.COMMIT_ON_BRANCH)
    second = shop.rule(K.ANY_TAG)
    start = Release.objects.get(repo_id=shop.row.id, name="Start")
    assert start.rule_id == first
    assert "v1.0" not in shop.names()
    shop.drop(first, keep=False)
    start.refresh_from_db()
    assert (start.rule_id, start.name, start.deleted_at) == (second, "v1.0", None)
    assert shop.names() == ["v1.0", "v1.1", "v2.0-beta"]
    assert shop.trail_of(start)[-1] == ("release_updated", "rule: any tag")


def test_a_rule_that_goes_with_its_releases_takes_them_all_back(shop: Shop) -> None:
    sha = shop.git.git("rev-parse", "main")
    at = int(shop.git.git("show", "--no-patch", "--format=%ct", sha))
    rule_id = shop.rule(K.ANY_TAG)
    shop.report(sha, at + STEP, name="by call")
    shop.drop(rule_id, keep=False)
    assert [(each.name, each.kind) for each in shop.made()] == [("by call", "baseline")]
    shop.index()
    assert shop.names() == ["by call"]


def test_a_rule_that_goes_alone_leaves_its_releases_for_good(shop: Shop) -> None:
    rule_id = shop.rule(K.ANY_TAG)
    shop.drop(rule_id, keep=True)
    shop.git.delete_tag("v1.0")
    shop.index()
    assert shop.names() == ["v1.0", "v1.1", "v2.0-beta"]
    other = shop.rule(K.TAG_CONTAINS, "v1.1")
    shop.drop(other, keep=False)
    assert shop.names() == ["v1.0", "v1.1", "v2.0-beta"]
    stored = Release.objects.get(repo_id=shop.row.id, name="v1.0")
    view = reads.rule_behind(shop.world.tenant, stored.id)
    assert view
    assert (str(view.rule), view.is_deleted) == ("any tag", True)


def test_the_same_rule_twice_is_refused_until_the_first_is_gone(shop: Shop) -> None:
    first = shop.rule(K.TAG_CONTAINS, "v1")
    with pytest.raises(Invalid) as refused:
        shop.rule(K.TAG_CONTAINS, " v1 ")
    assert refused.value.parameter == "kind"
    shop.rule(K.TAG_CONTAINS, "v1", here=False)
    shop.rule(K.TAG_CONTAINS, "v1", "staging")
    shop.drop(first, keep=False)
    shop.rule(K.TAG_CONTAINS, "v1")


def test_a_rule_can_be_deleted_once_and_only_in_its_entity(shop: Shop, stranger: World) -> None:
    rule_id = shop.rule(K.ANY_TAG)
    with pytest.raises(NotFound):
        delete_rule(tenant=stranger.tenant, rule_id=rule_id, keep_releases=False, actor=COMMAND_LINE, now=1)
    shop.drop(rule_id, keep=True)
    with pytest.raises(NotFound):
        shop.drop(rule_id, keep=False)


def test_a_repo_goes_with_its_rules_and_what_they_made(shop: Shop) -> None:
    shop.rule(K.ANY_TAG)
    shop.rule(K.COMMIT_ON_BRANCH, here=False)
    remove_repo(tenant=shop.world.tenant, repo_id=shop.row.id, actor=COMMAND_LINE)
    assert not Release.objects.filter(entity_id=shop.world.tenant.id).exists()
    assert not Tracked.objects.filter(entity_id=shop.world.tenant.id).exists()
    assert [row.kind for row in TrackingRule.objects.filter(entity_id=shop.world.tenant.id)] == [K.COMMIT_ON_BRANCH]


def test_setting_and_deleting_a_rule_stands_in_the_audit_trail(shop: Shop) -> None:
    rule_id = shop.rule(K.TAG_CONTAINS, "v")
    shop.drop(rule_id, keep=True)
    events = trail.latest(shop.world.tenant.id, subject_id=rule_id)
    assert [(event.action, event.subject) for event in events] == [
        ("rule_deleted", "tag contains “v”"),
        ("rule_set", f"{shop.path}: tag contains “v”"),
    ]
    assert '"kept"' in events[0].detail


# Many at once


def test_many_releases_are_written_in_pieces_and_end_with_the_right_kinds(
    world: World, git_repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(30):
        git_repo.commit(f"Change {n}")
    shop = Shop(world, git_repo)
    shop.report(git_repo.git("rev-parse", "main~10"), epoch_now(), name="back")
    monkeypatch.setattr(tracking, "AT_ONCE", 7)
    shop.rule(K.COMMIT_ON_BRANCH)
    assert [each.kind for each in shop.made()] == ["baseline", *["forward"] * 29, "rollback"]


def test_a_run_that_was_cut_short_is_finished_by_the_next(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracking, "AT_ONCE", 1)
    do = tracking._Run.do
    pieces: list[int] = []

    def once(run: object, events: object) -> None:
        if pieces:
            raise RuntimeError("killed")
        pieces.append(1)
        do(run, events)  # type: ignore[arg-type]  # whatever is passed is passed on

    monkeypatch.setattr(tracking._Run, "do", once)
    with pytest.raises(RuntimeError, match="killed"):
        shop.rule(K.ANY_TAG)
    assert shop.names() == ["v1.0"]
    monkeypatch.setattr(tracking._Run, "do", do)
    follow_up_now(shop.row)
    assert shop.names() == ["v1.0", "v1.1", "v2.0-beta"]


# Parts of a repo


@pytest.fixture
def parts(world: World, git_repo: GitRepo) -> dict[str, Shop]:
    """A repo of two services, with a merge that brings one of them something, and a commit that is for neither."""
    git_repo.commit("Both", files={"a/x": "1", "b/x": "1"})
    git_repo.commit("For a", files={"a/x": "2"})
    git_repo.commit("A topic for b", branch="topic", files={"b/x": "2"})
    git_repo.commit("Papers", files={"README": "1"})
    git_repo.merge("topic", message="Merge the topic")
    git_repo.tag("v1")
    source = world.repo("mono", git_repo)
    made = {slug: world.part(slug, source, f"{slug}/**") for slug in ("a", "b")}
    return {slug: Shop(world, git_repo, row=row) for slug, row in (("mono", source), *made.items())}


def test_a_branch_gives_a_part_the_commits_and_merges_that_brought_it_something(parts: dict[str, Shop]) -> None:
    parts["a"].rule(K.COMMIT_ON_BRANCH, here=False)
    assert {slug: shop.names() for slug, shop in parts.items()} == {
        "mono": ["Both", "For a", "Papers", "Merge the topic"],
        "a": ["Both", "For a"],
        "b": ["Both", "Merge the topic"],
    }


def test_tags_and_messages_speak_of_every_part(parts: dict[str, Shop]) -> None:
    parts["b"].rule(K.MESSAGE_EQUALS, "Papers", here=False)
    parts["b"].rule(K.ANY_TAG)
    assert {slug: shop.names() for slug, shop in parts.items()} == {
        "mono": ["Papers"],
        "a": ["Papers"],
        "b": ["Papers", "v1"],
    }


def test_new_commits_and_other_paths_of_a_part_are_followed(world: World, parts: dict[str, Shop]) -> None:
    a = parts["a"]
    a.rule(K.COMMIT_ON_BRANCH)
    a.git.commit("More for a", files={"a/x": "3"})
    a.git.commit("More for b", files={"b/x": "3"})
    a.index()
    assert a.names() == ["Both", "For a", "More for a"]
    world.part("a", parts["mono"].row, "b/**")
    follow_up_now(a.row)
    assert a.names() == ["Both", "Merge the topic", "More for b"]


@pytest.mark.parametrize("seed", range(3))
def test_a_step_of_a_branch_brings_a_part_what_git_says_it_brings(world: World, git_repo: GitRepo, seed: int) -> None:
    chance = random.Random(seed)
    git_repo.commit("Start", files={"a/x": "", "b/x": ""})
    for name in ("topic", "side"):
        git_repo.branch(name)
    for n in range(40):
        branch = chance.choice(["main", "main", "topic", "side"])
        if n > 5 and chance.random() < 0.25 and branch == "main":
            git_repo.merge(chance.choice(["topic", "side"]))
        else:
            git_repo.commit(f"Change {n}", branch=branch, files={chance.choice(["a/x", "b/x"]): str(n)})
    part = Shop(world, git_repo, row=world.part("a", world.repo("mono", git_repo), "a/**"))
    part.rule(K.COMMIT_ON_BRANCH)
    touching = set(git_repo.git("rev-list", "--no-merges", "--full-history", "main", "--", "a").split())
    chain = git_repo.git("rev-list", "--first-parent", "main").split()
    brought = {
        step: set(git_repo.git("rev-list", step, *([f"^{before}"] if before else [])).split())
        for step, before in zip(chain, [*chain[1:], ""], strict=True)
    }
    assert {each.sha for each in part.made()} == {step for step in chain if brought[step] & touching}


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("statement", "indexes"),
    [
        (store._AROUND, {"release_identity", "release_gone"}),
        (store._EVENTS, {"release_identity", "release_gone"}),
        (ownership._ATTRIBUTED, {"release_identity", "release_gone"}),
    ],
    ids=["around", "events", "attributed"],
)
def test_no_search_wades_through_what_deleted_rules_have_left(
    instance: Path, statement: Statement, indexes: set[str]
) -> None:
    text = statement._sqlite
    with connection.cursor() as cursor:
        rows = cursor.connection.execute("EXPLAIN QUERY PLAN " + text, [1] * len(set(re.findall(r"\?\d+", text))))
        plan = " ".join(row[3] for row in rows)
    assert set(re.findall(r"USING (?:COVERING )?INDEX (\w+)", plan)) == indexes
    assert "SCAN" not in plan
    assert "ORDER BY" not in plan
