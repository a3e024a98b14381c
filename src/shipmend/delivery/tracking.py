"""The verbs of release tracking: set a rule, delete it, and apply the rules to a repo.

A verb only notes what was decided; the job that follows each index applies it, in short writes. So who saves a rule
does not wait for thousands of releases, and there is one way in which they come and go.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from uuid import UUID

from django.db.models import Q

from shipmend.audit import trail
from shipmend.audit.trail import Actor
from shipmend.catalog.models import Repo
from shipmend.catalog.queries import RepoRef, Tenant
from shipmend.core.errors import Invalid, NotFound
from shipmend.core.releases import CommitState, FieldChange, Instant, Release, ReleaseCommit, field_changes
from shipmend.core.streams import SeenRelease, Spot
from shipmend.core.tracking import (
    IN_THE_FUTURE,
    Candidate,
    Event,
    Rule,
    RuleKind,
    Step,
    Wanted,
    decide,
    to_do,
    unusable,
    wanted_releases,
)
from shipmend.db.ids import new_id
from shipmend.db.rows import change
from shipmend.db.writes import write
from shipmend.delivery import store
from shipmend.delivery.models import Tracked, TrackingRule
from shipmend.delivery.streams import StreamWriter, title
from shipmend.history import candidates, graphs
from shipmend.history.actions import SETTLE
from shipmend.jobs.queue import enqueue
from shipmend.jobs.registry import JobContext

AT_ONCE = 100
"""Releases in one write, which others wait behind."""
MEANING = 1
"""To be raised when the same rule and history shall give other releases than before."""


def add_rule(*, tenant: Tenant, rule: Rule, repo: RepoRef | None, actor: Actor) -> TrackingRule:
    """Set a rule for a repo, or for all of them; the worker applies it to their history soon. Raises Invalid."""

    def work() -> TrackingRule:
        if is_set(tenant, rule, repo):
            mend = "choose another kind, text, environment or repo"
            raise Invalid("kind", "is a rule that is there already", value=str(rule), mend=mend)
        row = TrackingRule.objects.create(
            id=rule.id,
            entity_id=tenant.id,
            repo_id=repo.id if repo else None,
            kind=rule.kind,
            value=rule.value,
            environment=rule.environment,
            created_by=actor.label[:260],
        )
        trail.record(tenant.id, actor, "rule_set", f"{repo.path if repo else tenant.slug}: {rule}", subject_id=row.id)
        _apply_soon(tenant, row.repo_id)
        return row

    return write(work)


def is_set(tenant: Tenant, rule: Rule, repo: RepoRef | None) -> bool:
    """Whether there is a rule like this one."""
    return TrackingRule.objects.filter(rules_like(tenant, rule, repo), deleted_at=None).exists()


def rules_like(tenant: Tenant, rule: Rule, repo: RepoRef | None) -> Q:
    """Selects the rules that say the same of the same repos, deleted ones included."""
    place = Q(entity_id=tenant.id, repo_id=repo.id) if repo else Q(entity_id=tenant.id, repo=None)
    return place & Q(kind=rule.kind, value=rule.value, environment=rule.environment)


def delete_rule(*, tenant: Tenant, rule_id: UUID, keep_releases: bool, actor: Actor, now: int) -> TrackingRule:
    """Delete a rule. What it made stays as it is, or is taken back by the worker soon. Raises NotFound."""

    def work() -> TrackingRule:
        row = TrackingRule.objects.filter(entity_id=tenant.id, id=rule_id, deleted_at=None).first()
        if row is None:
            raise NotFound("There is no such rule any more.")
        change(row, deleted_at=now, keeps_releases=keep_releases)
        fate = FieldChange("releases", None, "kept" if keep_releases else "taken back")
        trail.record(tenant.id, actor, "rule_deleted", str(rule_of(row)), subject_id=row.id, changes=[fate])
        _apply_soon(tenant, row.repo_id)
        return row

    return write(work)


def rule_of(row: TrackingRule) -> Rule:
    """A stored rule."""
    return Rule(row.id, RuleKind(row.kind), row.value, row.environment)


def matches_of(tenant: Tenant, repo: RepoRef, rule: Rule) -> Iterator[Candidate]:
    """What a rule matches in a repo, as of its last index."""
    return filter(rule.matcher(), _candidates_of(tenant, repo, rule))


def _candidates_of(tenant: Tenant, repo: RepoRef, rule: Rule) -> Iterable[Candidate]:
    if rule.kind.takes_tags:
        return candidates.tags(tenant.id, repo)
    if rule.kind.takes_branch:
        return candidates.branch_steps(tenant.id, repo, rule.value)
    return candidates.branch_commits(tenant.id, repo)


def kept_rules(tenant: Tenant) -> frozenset[UUID]:
    """The deleted rules whose releases were to stay."""
    kept = TrackingRule.objects.filter(entity_id=tenant.id, keeps_releases=True)
    return frozenset(kept.values_list("id", flat=True))


def track_repo(*, tenant: Tenant, repo: RepoRef, context: JobContext, now: int) -> None:
    """Make the releases of a repo those that the rules make of its history as it is indexed now."""
    rows = list(TrackingRule.objects.filter(Q(repo_id=None) | Q(repo_id=repo.id), entity_id=tenant.id).order_by("id"))
    fingerprint = candidates.fingerprint(tenant.id, repo) if rows else ""
    digest = _digest(fingerprint, rows)
    if not fingerprint or Tracked.objects.filter(entity_id=tenant.id, repo_id=repo.id, digest=digest).exists():
        return
    run = _Run(tenant, repo, rows, now)
    events = run.to_do()
    for start in range(0, len(events), AT_ONCE):
        context.check()
        context.write(partial(run.do, events[start : start + AT_ONCE]))
    if run.is_for_good:
        context.write(partial(_remember, tenant, repo, digest))


class _Run:
    """One application of the rules to a repo."""

    def __init__(self, tenant: Tenant, repo: RepoRef, rows: Sequence[TrackingRule], now: int) -> None:
        self._tenant = tenant
        self._repo = repo
        self._now = now
        self._rules = {row.id: rule_of(row) for row in rows}
        self._kept = kept_rules(tenant)
        live = [self._rules[row.id] for row in rows if row.deleted_at is None]
        self._future = False
        self._wanted = wanted_releases(((rule, self._matches(rule)) for rule in live), now=now)

    @property
    def is_for_good(self) -> bool:
        """Whether the same history would give the same later on: nothing of it lies in the future."""
        return not self._future

    def to_do(self) -> list[Event]:
        """What is not yet as the rules want it."""
        events = to_do(store.standing_events(self._tenant, self._repo.id, self._kept), self._wanted)
        if events:
            # Kinds are derived inside the writes, where everyone would wait for the graph to be loaded.
            graphs.load(self._tenant.id, self._repo.number)
        return events

    def do(self, events: Sequence[Event]) -> None:
        """Do that about some events; inside write(). Each is decided anew, since a call may have come between."""
        store.lock_streams(self._tenant, [self._repo.id])
        writer = StreamWriter(self._tenant, now=self._now)
        for event in events:
            stored = self._stored(writer, event)
            wanted = self._wanted.get(event)
            step = decide(store.standing_of(stored, self._kept) if stored else None, wanted)
            before = stored.release if stored else None
            if step is not None and wanted is not None:
                self._put(writer, step, wanted, before)
            elif step is Step.TAKE_BACK and before is not None:
                writer.take_back(self._repo, before)
                self._record(step, before, before.rule)
        writer.finish()

    def _stored(self, writer: StreamWriter, event: Event) -> SeenRelease | None:
        """The row of an event; one that is there before one that was deleted."""
        rows = [
            row
            for row in writer.at(Spot(self._repo.id, event.environment, event.at))
            if row.release.commit.sha == event.sha
        ]
        return min(rows, key=lambda row: row.is_deleted, default=None)

    def _matches(self, rule: Rule) -> Iterator[Candidate]:
        for candidate in matches_of(self._tenant, self._repo, rule):
            self._future |= unusable(candidate, now=self._now) == IN_THE_FUTURE
            yield candidate

    def _put(self, writer: StreamWriter, step: Step, wanted: Wanted, before: Release | None) -> None:
        after = self._release(wanted)
        changes: tuple[FieldChange, ...] = ()
        if before is not None and step is Step.CHANGE:
            after = replace(before, name=wanted.name, rule=wanted.rule)
            changes = field_changes(before, after)
        elif before is not None:
            after = replace(after, id=before.id)
        writer.put(self._repo, after, is_new=before is None)
        self._record(step, after, wanted.rule, changes)

    def _release(self, wanted: Wanted) -> Release:
        at, sha, environment = wanted.event
        return Release(
            id=new_id(),
            environment=environment,
            commit=ReleaseCommit(sha, CommitState.KNOWN, wanted.commit),
            released=Instant.at(at, self._tenant.zone),
            name=wanted.name,
            rule=wanted.rule,
        )

    def _record(
        self, step: Step, release: Release, rule_id: UUID | None, changes: tuple[FieldChange, ...] = ()
    ) -> None:
        actor = Actor(f"rule: {self._rules[rule_id]}") if rule_id in self._rules else trail.WORKER
        named = title(self._repo, release)
        trail.record(self._tenant.id, actor, _RECORDED[step], named, subject_id=release.id, changes=changes)


_RECORDED = {
    Step.MAKE: "release_created",
    Step.BRING_BACK: "release_created",
    Step.CHANGE: "release_updated",
    Step.TAKE_BACK: "release_taken_back",
}


def _apply_soon(tenant: Tenant, repo_id: UUID | None) -> None:
    """Have the worker look at the repo, or at all of them. One that is not indexed yet is looked at once it is."""
    repos = Repo.objects.filter(entity_id=tenant.id, indexed_at__isnull=False)
    if repo_id is not None:
        repos = repos.filter(id=repo_id)
    for home in sorted({repo.source_id or repo.id for repo in repos.only("id", "source_id")}):
        enqueue(entity_id=tenant.id, kind=SETTLE, key=str(home))


def _digest(fingerprint: str, rows: Sequence[TrackingRule]) -> str:
    rules = [(row.id, row.deleted_at is None, row.keeps_releases) for row in rows]
    return hashlib.blake2b(repr((MEANING, fingerprint, rules)).encode(), digest_size=16).hexdigest()


def _remember(tenant: Tenant, repo: RepoRef, digest: str) -> None:
    Tracked.objects.update_or_create(entity_id=tenant.id, repo_id=repo.id, defaults={"digest": digest})
