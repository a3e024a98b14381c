"""The sample in a database: what was reported is what is there, and building it again changes nothing."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path

import pytest

from shipmend.catalog.models import Repo
from shipmend.core.causes import CauseKind
from shipmend.core.releases import Kind
from shipmend.delivery.causes import causes_of
from shipmend.delivery.models import CriticalDefect, DefectFix, Release
from shipmend.demo.commands import commands
from shipmend.demo.incidents import Blame
from shipmend.demo.plan import Detection
from shipmend.demo.values import Deploy, Fixed
from shipmend.git.writing import write_repository
from tests.demo.sample import Sample
from tests.gitworld import ENVIRONMENT
from tests.snapshot import stored_rows

pytestmark = pytest.mark.database

KINDS = {
    Blame.ACCEPTED: {CauseKind.ACCEPTED},
    Blame.LARGE: {CauseKind.NAMED},
    Blame.NONE: {CauseKind.UNATTRIBUTED},
    Blame.UNSAID: {CauseKind.GUESS, CauseKind.UNATTRIBUTED},
}


def test_all_that_is_reported_is_there(sample: Sample) -> None:
    told = Counter(type(what) for _, what in sample.plan.reports())
    releases = Release.objects.filter(entity_id=sample.tenant.id, deleted_at=None)
    assert releases.filter(rule=None).count() == told[Deploy]
    assert CriticalDefect.objects.filter(entity_id=sample.tenant.id).count() == told[Detection]
    assert DefectFix.objects.filter(entity_id=sample.tenant.id).count() == told[Fixed]
    assert set(releases.exclude(kind=None).values_list("kind", flat=True)) == set(Kind)
    assert not releases.exclude(commit_state="known").exists()


def test_the_rules_make_the_releases_that_nobody_reports(sample: Sample) -> None:
    tracked = next(repo for repo in sample.plan.repos if repo.team.rhythm.is_tracked)
    by_rule = Release.objects.filter(entity_id=sample.tenant.id, rule__isnull=False)
    assert set(by_rule.values_list("repo__slug", flat=True)) == {tracked.path.repo}
    wanted = {deploy.at: deploy.name for deploy in tracked.team.deploys if deploy.at <= sample.plan.until}
    made = by_rule.filter(environment="production").values_list("released_at", "name")
    assert dict(made) == wanted


def test_a_defect_has_the_times_that_were_told(sample: Sample) -> None:
    fixes = [what for _, what in sample.plan.reports() if isinstance(what, Fixed)]
    for key, resolved in CriticalDefect.objects.filter(entity_id=sample.tenant.id).values_list(
        "defect_key", "resolved_at"
    ):
        own = [fix for fix in fixes if fix.key == key]
        times = [fix.at if fix.with_time or fix.commit is None else fix.commit.authored_at for fix in own]
        assert resolved == max(times, default=None), key


def test_people_have_said_what_caused_some_defects(sample: Sample) -> None:
    defects = CriticalDefect.objects.filter(entity_id=sample.tenant.id)
    causes = causes_of(sample.tenant, defects)
    keys = dict(defects.values_list("id", "defect_key"))
    kinds = {keys[defect_id]: cause.kind for defect_id, cause in causes.items()}
    for detection in sample.plan.detected():
        incident = detection.incident
        assert kinds[incident.key] in KINDS[incident.blame], incident
    named = next(cause.release_id for cause in causes.values() if cause.kind is CauseKind.NAMED)
    assert named
    release = Release.objects.get(id=named)
    assert release.name.endswith(".0")
    assert release.repo.slug == "checkout"


def test_building_it_again_changes_nothing(sample: Sample) -> None:
    before = stored_rows(sample.tenant.id, without=frozenset({"jobs_job", "catalog_repo"}))
    sample.build()
    assert stored_rows(sample.tenant.id, without=frozenset({"jobs_job", "catalog_repo"})) == before


def test_what_is_written_is_sound_to_git_and_always_the_same(sample: Sample, tmp_path: Path) -> None:
    for repo in sample.plan.repos:
        told = commands(repo.team.history, sample.plan.until)
        there = write_repository(tmp_path / "again.git", told)
        assert len(there) == Repo.objects.get(entity_id=sample.tenant.id, slug=repo.path.repo).commit_count
        upstream = sample.upstreams / f"{repo.path.repo}.git"
        assert _git(upstream, "for-each-ref") == _git(tmp_path / "again.git", "for-each-ref")
        assert _git(upstream, "fsck", "--strict") == ""


def _git(git_dir: Path, *words: str) -> str:
    done = subprocess.run(["git", f"--git-dir={git_dir}", *words], capture_output=True, text=True, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr
