"""Recording the story in an instance, by the verbs that the API calls. Again and again does no harm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from shipmend.audit.trail import COMMAND_LINE
from shipmend.catalog.actions import ensure_repo
from shipmend.catalog.models import Repo
from shipmend.catalog.queries import Place, Tenant, find_place, ref_of
from shipmend.core.defects import DefectReport, FixReport
from shipmend.core.moments import Moment
from shipmend.core.releases import Instant, ReleaseReport
from shipmend.core.tracking import Rule, RuleKind, read_rule
from shipmend.core.values import ResourcePath, Sha
from shipmend.db.clock import epoch_now
from shipmend.db.ids import new_id
from shipmend.db.writes import write
from shipmend.delivery.actions import defect_work, prepare_release, record_release
from shipmend.delivery.commits import CommitFinder
from shipmend.delivery.handlers import follow_up_now
from shipmend.delivery.rules import was_set
from shipmend.delivery.tracking import add_rule
from shipmend.demo.commands import commands
from shipmend.demo.judging import judge
from shipmend.demo.plan import Detection, Plan, RepoStory
from shipmend.demo.values import PRODUCTION, STAGING, Deploy, Fixed
from shipmend.git.remotes import parse_remote
from shipmend.git.writing import write_repository
from shipmend.history.handlers import index_now

AT_ONCE = 50
"""Reports in one write."""


@dataclass(frozen=True, slots=True)
class _Recorded:
    """A repo of the story once it is indexed."""

    place: Place
    shas: dict[int, str]


def build(tenant: Tenant, plan: Plan, upstreams: Path, *, say: Callable[[str], None]) -> None:
    """Write the repositories into `upstreams`, register and index them, and report what happened."""
    recorded = {story.path: _recorded(tenant, story, plan.until, upstreams, say) for story in plan.repos}
    waiting: list[Callable[[], object]] = []
    total = 0
    for path, what in plan.reports():
        waiting.append(_work(tenant, path, what, recorded))
        total += 1
        if len(waiting) == AT_ONCE:
            _do(waiting)
    _do(waiting)
    judge(tenant, plan)
    say(f"{total} releases, defects and fixes reported")


def _recorded(tenant: Tenant, story: RepoStory, until: int, upstreams: Path, say: Callable[[str], None]) -> _Recorded:
    upstream = upstreams / f"{story.path.repo}.git"
    shas = write_repository(upstream, commands(story.team.history, until))
    remote = parse_remote(str(upstream), allow_local=True)
    repo = ensure_repo(path=story.path, remote=remote, actor=COMMAND_LINE)
    index_now(repo, on_progress=lambda _: None)
    say(f"{story.path}: {len(shas):,} commits")
    if story.team.rhythm.is_tracked:
        _track(tenant, repo, story.team.rhythm.tag)
    return _Recorded(find_place(tenant, story.path), shas)


def _track(tenant: Tenant, repo: Repo, tag: str) -> None:
    """Its tags are releases to production, and all that reaches the trunk is one to staging."""
    for kind, value, environment in (
        (RuleKind.TAG_CONTAINS, tag, PRODUCTION),
        (RuleKind.COMMIT_ON_BRANCH, "", STAGING),
    ):
        rule = read_rule(new_id(), kind, value, environment)
        _set(tenant, rule, repo)
    follow_up_now(repo)


def _set(tenant: Tenant, rule: Rule, repo: Repo) -> None:
    if was_set(tenant, rule, ref_of(repo)) is None:
        add_rule(tenant=tenant, rule=rule, repo=ref_of(repo), actor=COMMAND_LINE)


def _work(
    tenant: Tenant, path: ResourcePath, what: Deploy | Fixed | Detection, recorded: dict[ResourcePath, _Recorded]
) -> Callable[[], object]:
    if isinstance(what, Detection):
        return _detection_work(tenant, what)
    repo = recorded[path]
    return _release_work(repo, what) if isinstance(what, Deploy) else _fix_work(repo, what)


def _do(waiting: list[Callable[[], object]]) -> None:
    write(lambda: [work() for work in waiting])
    waiting.clear()


def _release_work(repo: _Recorded, deploy: Deploy) -> Callable[[], object]:
    report = ReleaseReport(
        path=repo.place.path,
        sha=Sha(repo.shas[deploy.commit.number]),
        released_at=_moment(repo.place.tenant, deploy.at),
        release_now=False,
        environment=deploy.environment,
        name=deploy.name,
        status=deploy.status,
        issue_keys=deploy.keys,
    )
    now = epoch_now()
    prepared = prepare_release(place=repo.place, report=report, finder=CommitFinder(), actor=COMMAND_LINE, now=now)
    return partial(record_release, prepared, now=now)


def _detection_work(tenant: Tenant, detection: Detection) -> Callable[[], object]:
    place = find_place(tenant, detection.path)
    report = DefectReport(
        key=detection.incident.key,
        path=detection.path,
        detected_at=_moment(tenant, detection.at),
        description=detection.incident.title,
        severity=detection.incident.severity,
    )
    reach = ResourcePath(tenant.slug)
    return defect_work(
        place=place, report=report, finder=CommitFinder(), reach=reach, actor=COMMAND_LINE, now=epoch_now()
    )


def _fix_work(repo: _Recorded, fixed: Fixed) -> Callable[[], object]:
    tenant = repo.place.tenant
    fix = FixReport(
        sha=Sha(repo.shas[fixed.commit.number]) if fixed.commit else None,
        released_at=_moment(tenant, fixed.at) if fixed.with_time else None,
        released_now=False,
    )
    report = DefectReport(key=fixed.key, path=repo.place.path, fix=fix)
    reach = ResourcePath(tenant.slug)
    return defect_work(
        place=repo.place, report=report, finder=CommitFinder(), reach=reach, actor=COMMAND_LINE, now=epoch_now()
    )


def _moment(tenant: Tenant, at: int) -> Moment:
    return Instant.at(at, tenant.zone).moment()
