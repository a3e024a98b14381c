"""Counting lines in the background: once, whatever happens meanwhile."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import pytest

from shipmend.audit.trail import COMMAND_LINE
from shipmend.catalog.actions import remove_repo
from shipmend.core.changes import Lines
from shipmend.db.clock import epoch_now
from shipmend.db.writes import write
from shipmend.delivery import measuring
from shipmend.delivery.changes import changes_of_release
from shipmend.delivery.handlers import attribute_marked, register
from shipmend.delivery.measuring import measure_repo
from shipmend.delivery.models import ReleaseDiff
from shipmend.delivery.ownership import MEASURE, base_of_release
from shipmend.git import diffs
from shipmend.git.diffs import Difference, Pair
from shipmend.history.mirrors import mirror_of
from shipmend.jobs.foreground import do_now
from shipmend.jobs.models import Job
from shipmend.jobs.registry import Interrupted, Registry
from tests.delivery.shop import Free, Shop
from tests.gitworld import GitRepo
from tests.world import World

pytestmark = pytest.mark.database

T = TypeVar("T")


@pytest.fixture
def line(git_repo: GitRepo) -> list[str]:
    return [git_repo.commit(f"change {n}", files={"log": "y\n" * n}) for n in range(1, 7)]


@pytest.fixture
def shop(world: World, git_repo: GitRepo, line: list[str]) -> Shop:
    return Shop(world, git_repo)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Pair]:
    """The pairs that git was asked for."""
    pairs: list[Pair] = []

    def counted(git_dir: Path, some: Sequence[Pair], *, globs: Sequence[str]) -> Iterator[Difference]:
        pairs.extend(some)
        return diffs.line_counts(git_dir, some, globs=globs)

    monkeypatch.setattr(measuring, "line_counts", counted)
    return pairs


def rows(shop: Shop) -> dict[UUID, tuple[int | None, int | None, int | None]]:
    found = ReleaseDiff.objects.filter(entity_id=shop.tenant.id)
    return {row.release_id: (row.files, row.insertions, row.deletions) for row in found}


def state(shop: Shop, release: UUID) -> Lines:
    return changes_of_release(shop.tenant, shop.repo, release).files.lines


def test_every_release_is_counted_once_the_latest_first(shop: Shop, line: list[str], asked: list[Pair]) -> None:
    first, second, third = (shop.release(line[n]) for n in (0, 2, 5))
    shop.measure()
    assert rows(shop) == {first: (1, 1, 0), second: (1, 2, 0), third: (1, 3, 0)}
    assert asked == [Pair(line[2], line[5]), Pair(line[0], line[2]), Pair(None, line[0])]
    asked.clear()
    shop.measure()
    assert asked == []


def test_the_same_comparison_in_two_environments_is_made_once(shop: Shop, line: list[str], asked: list[Pair]) -> None:
    for environment in ("staging", "production"):
        for n in (0, 3):
            shop.release(line[n], environment=environment)
    shop.measure()
    assert len(rows(shop)) == 4
    assert len(asked) == 2


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_releases_are_compared_with_the_base_that_ownership_tells(world: World, git_repo: GitRepo, seed: int) -> None:
    rng = random.Random(seed)
    made = [git_repo.commit("root", files={"a": "0\n"})]
    for n in range(25):
        branch = rng.choice(["main", "b", "c"])
        git_repo.branch(branch, rng.choice(made[-5:]))
        made.append(git_repo.merge(rng.choice(made), into=branch) if n % 3 == 0 else git_repo.commit(branch=branch))
        git_repo.tag(f"keep-{n}", made[-1])
    shop = Shop(world, git_repo)
    releases = [shop.release(rng.choice(made)) for _ in range(15)]
    shop.measure()
    base_of = {row.release_id: row.base_number for row in ReleaseDiff.objects.filter(entity_id=shop.tenant.id)}
    assert base_of == {release: base_of_release(shop.tenant, shop.repo, release) for release in releases}


def test_what_can_not_be_read_is_said_so_and_tried_again_another_day(
    shop: Shop, line: list[str], asked: list[Pair]
) -> None:
    first, second, third = (shop.release(line[n]) for n in (0, 2, 5))
    mirror = mirror_of(shop.row.id).git_dir
    spoil(mirror, shop.git.git("rev-parse", f"{line[5]}:log"))
    shop.measure()
    assert rows(shop) == {first: (1, 1, 0), second: (1, 2, 0), third: (1, None, None)}
    assert state(shop, third) is Lines.UNREADABLE
    asked.clear()
    shop.measure()
    assert asked == []
    yesterday = epoch_now() - measuring.RETRY_AFTER - 1
    write(lambda: ReleaseDiff.objects.filter(entity_id=shop.tenant.id).update(computed_at=yesterday))
    shop.measure()
    assert asked == [Pair(line[2], line[5])]


def spoil(mirror: Path, sha: str) -> None:
    """Take one object out of a mirror, which has them in packs."""
    for pack in list((mirror / "objects" / "pack").glob("*.pack")):
        pack.rename(mirror / pack.name)
        pack.with_suffix(".idx").unlink()
        data = (mirror / pack.name).read_bytes()
        subprocess.run(["git", f"--git-dir={mirror}", "unpack-objects", "-q"], input=data, check=True)
    (mirror / "objects" / sha[:2] / sha[2:]).unlink()


def test_a_worker_that_is_stopped_keeps_what_it_has_stored(
    shop: Shop, line: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "PAIRS_AT_ONCE", 2)
    releases = [shop.release(sha) for sha in line]

    class Stopping(Free):
        left = 3

        def check(self) -> None:
            self.left -= 1
            if self.left < 0:
                raise Interrupted

    with pytest.raises(Interrupted):
        measure_repo(shop.tenant, shop.repo, Stopping())
    assert set(rows(shop)) == set(releases[-2:])
    shop.measure()
    assert set(rows(shop)) == set(releases)


def test_a_deleted_release_leaves_nothing(shop: Shop, line: list[str]) -> None:
    kept, deleted = shop.release(line[0]), shop.release(line[3])
    shop.measure()
    shop.api.delete(f"releases/{deleted}")
    shop.measure()
    assert set(rows(shop)) == {kept}


def test_a_release_deleted_while_it_is_counted_leaves_nothing(shop: Shop, line: list[str]) -> None:
    shop.release(line[3])
    deleted = shop.release(line[4])

    class Deleting(Free):
        def check(self) -> None:
            shop.api.delete(f"releases/{deleted}")

    measure_repo(shop.tenant, shop.repo, Deleting())
    assert deleted not in rows(shop)


def test_a_removed_repo_leaves_nothing(shop: Shop, line: list[str]) -> None:
    shop.release(line[3])
    shop.measure()
    remove_repo(tenant=shop.tenant, repo_id=shop.row.id, actor=COMMAND_LINE)
    assert rows(shop) == {}


def test_a_release_has_its_lines_counted_by_the_worker_whether_anybody_looks_or_not(
    shop: Shop, line: list[str]
) -> None:
    release = shop.release(line[3])
    attribute_marked()
    do_job(shop)
    assert state(shop, release) is Lines.COUNTED


def test_the_job_of_a_repo_without_a_mirror_or_of_none_ends_well(shop: Shop, line: list[str]) -> None:
    release = shop.release(line[3])
    state(shop, release)
    mirror_of(shop.row.id).delete()
    do_job(shop)
    assert rows(shop) == {}
    assert state(shop, release) is Lines.UNREADABLE
    remove_repo(tenant=shop.tenant, repo_id=shop.row.id, actor=COMMAND_LINE)
    do_job(shop)


def do_job(shop: Shop) -> None:
    registry = Registry()
    register(registry)
    job = Job.objects.get(entity_id=shop.tenant.id, kind=MEASURE, done_at=None)
    do_now(registry, job_id=job.id, entity_id=shop.tenant.id, kind=MEASURE, key=str(shop.row.id), on_wait=lambda: None)
