"""The metrics against a second computation that knows nothing of how the first goes about it."""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipmend.core.dora import ASIDES, Aside, Figure, Rules, figure, figures, waiting
from shipmend.core.facts import REASONS, DefectFact, Facts, FixFact, LeadFact, Reason, ReleaseFact, judge
from shipmend.core.metrics import INFO, Dimension, Metric
from shipmend.core.releases import Kind, Status
from shipmend.core.windows import Interval, Window

ZONE = ZoneInfo("America/New_York")
MARCH = Window(date(2024, 3, 1), date(2024, 3, 31), ZONE)
DAY = 86_400
REPOS = [UUID(int=1), UUID(int=2)]
OF_WINDOW = [metric for metric in Metric if metric is not Metric.COMMITS_WAITING]

instants = st.integers(MARCH.start - 20 * DAY, MARCH.end + 20 * DAY)


@dataclass(frozen=True)
class Case:
    """What happened, in no order."""

    releases: list[ReleaseFact]
    leads: dict[UUID, LeadFact]
    defects: list[DefectFact]
    fixes: list[FixFact]

    @property
    def facts(self) -> Facts:
        return judge(self.releases, self.leads, self.defects, self.fixes)

    def shuffled(self, chance: random.Random) -> Case:
        """The same, arriving in another order."""
        lists = [list(self.releases), list(self.defects), list(self.fixes)]
        for each in lists:
            chance.shuffle(each)  # type: ignore[arg-type]  # three lists of different things, each shuffled by itself
        return Case(lists[0], self.leads, lists[1], lists[2])  # type: ignore[arg-type]  # as above


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Releases in two repos, and defects with causes and fixes among them."""
    releases = [
        ReleaseFact(
            at, UUID(int=100 + n), draw(st.sampled_from(REPOS)), draw(st.sampled_from([None, *Kind])),
            draw(st.sampled_from(Status)), draw(st.booleans()), draw(st.sampled_from([None, UUID(int=100)])),
        )
        for n, at in enumerate(draw(st.lists(instants, max_size=12)))
    ]  # fmt: skip
    ids = [None, *(release.id for release in releases)]
    counts = st.integers(0, 5)
    seconds = st.lists(st.integers(0, 10**7), max_size=6).map(sorted)
    leads = {
        release.id: LeadFact(draw(seconds), draw(counts), draw(counts), draw(counts), draw(counts))
        for release in releases
    }
    defects: list[DefectFact] = []
    fixes: list[FixFact] = []
    for n, detected_at in enumerate(draw(st.lists(instants, max_size=6))):
        id_ = UUID(int=1000 + n)
        times = draw(st.lists(instants, max_size=3))
        own = [
            FixFact(at, UUID(int=2000 + 10 * n + m), id_, draw(st.sampled_from(REPOS)), draw(st.sampled_from(ids)))
            for m, at in enumerate(times)
        ]
        fixes += own
        places = frozenset(fix.repo_id for fix in own) | frozenset(draw(st.lists(st.sampled_from(REPOS), max_size=1)))
        severity = draw(st.sampled_from([None, 1, 2]))
        cause = draw(st.sampled_from(ids))
        resolved = max(times, default=None)
        defects.append(DefectFact(id_, detected_at, resolved, places, severity, cause, draw(st.booleans())))
    return Case(releases, leads, defects, fixes)


def value_of(found: Figure) -> tuple[float | None, int]:
    return found.value, found.n


def naive(metric: Metric, case: Case, window: Window, *, rollbacks_fail: bool) -> tuple[float | None, int]:  # noqa: C901 -- one branch for each metric
    """The value and n of a metric by its words, over and over through everything."""

    def inside(at: int | None) -> bool:
        return at is not None and window.start <= at < window.end

    def share(part: Sequence[object], whole: Sequence[object]) -> tuple[float | None, int]:
        return (len(part) / len(whole) if whole else None), len(whole)

    def median(values: list[int]) -> tuple[float | None, int]:
        return (statistics.median(values) if values else None), len(values)

    counted = [
        release
        for release in case.releases
        if inside(release.released_at)
        and release.status == "succeeded"
        and release.is_settled
        and release.kind != "redeploy"
    ]
    fixes_of = {defect.id: [fix for fix in case.fixes if fix.defect_id == defect.id] for defect in case.defects}
    if metric is Metric.DEPLOYMENT_FREQUENCY:
        return len(counted) / 31, len(counted)
    if metric is Metric.CHANGE_LEAD_TIME:
        return median([s for r in case.releases if inside(r.released_at) for s in case.leads[r.id].times])
    if metric is Metric.CHANGE_FAIL_RATE:
        blamed = {defect.cause for defect in case.defects}
        return share([r for r in counted if r.id in blamed or (rollbacks_fail and r.undone_by)], counted)
    if metric is Metric.REWORK_RATE:
        carriers = {fix.carried_by for fix in case.fixes}
        return share([r for r in counted if r.id in carriers], counted)
    if metric is Metric.RECOVERY_TIME:
        resolved = [d for d in case.defects if inside(d.resolved_at)]
        return median([s for d in resolved if (s := (d.resolved_at or 0) - d.detected_at) >= 0])
    if metric is Metric.TIME_TO_FIRST_FIX:
        firsts = [(min(f.released_at for f in fixes_of[d.id]), d) for d in case.defects if fixes_of[d.id]]
        return median([at - d.detected_at for at, d in firsts if inside(at) and at >= d.detected_at])
    if metric is Metric.FIXES_NOT_HOLDING:
        here = [fix for fix in case.fixes if inside(fix.released_at)]
        later = [
            fix
            for fix in here
            if any(
                (other.released_at, other.id) > (fix.released_at, fix.id) and other.repo_id == fix.repo_id
                for other in fixes_of[fix.defect_id]
            )
        ]
        return share(later, here)
    still = [
        d for d in case.defects if d.detected_at < window.end and (d.resolved_at is None or d.resolved_at >= window.end)
    ]
    return len(still), len(still)


@pytest.mark.parametrize("metric", OF_WINDOW)
@given(case=cases(), rollbacks_fail=st.booleans())
def test_a_metric_is_what_its_words_say(metric: Metric, case: Case, rollbacks_fail: bool) -> None:
    found = figure(metric, case.facts, MARCH, Rules(rollbacks_fail=rollbacks_fail))
    assert value_of(found) == naive(metric, case, MARCH, rollbacks_fail=rollbacks_fail)


@given(cases(), st.randoms())
def test_the_order_of_arrival_changes_nothing(case: Case, chance: random.Random) -> None:
    assert figures(case.shuffled(chance).facts, MARCH, Rules()) == figures(case.facts, MARCH, Rules())


@given(cases(), st.sampled_from(Interval))
def test_the_parts_of_a_window_add_up(case: Case, interval: Interval) -> None:
    whole = figures(case.facts, MARCH, Rules())
    parts = [figures(case.facts, part, Rules()) for part in MARCH.parts(interval)]
    for metric in set(OF_WINDOW) - {Metric.OPEN_DEFECTS}:
        assert sum(part[metric].n for part in parts) == whole[metric].n
        assert sum(part[metric].numerator for part in parts) == whole[metric].numerator
        assert sum(part[metric].denominator for part in parts) == whole[metric].denominator
        for reason in Reason:
            assert sum(left(part[metric], reason) for part in parts) == left(whole[metric], reason)
    assert parts[-1][Metric.OPEN_DEFECTS] == whole[Metric.OPEN_DEFECTS]


def left(found: Figure, reason: Reason) -> int:
    return sum(each.amount for each in found.excluded if each.reason is reason)


def beside(found: Figure, aside: Aside) -> int:
    return sum(each.amount for each in found.beside if each.aside is aside)


@given(cases())
def test_whatever_happened_in_the_window_counts_or_is_left_out_for_a_reason(case: Case) -> None:
    found = figures(case.facts, MARCH, Rules())
    here = [release for release in case.releases if MARCH.start <= release.released_at < MARCH.end]
    frequency = found[Metric.DEPLOYMENT_FREQUENCY]
    assert frequency.n + sum(each.amount for each in frequency.excluded) == len(here)
    lead = found[Metric.CHANGE_LEAD_TIME]
    commits = sum(len(case.leads[r.id].times) + sum(case.leads[r.id][1:]) for r in here)
    assert lead.n + sum(each.amount for each in lead.excluded) == commits
    fail = found[Metric.CHANGE_FAIL_RATE]
    either = beside(fail, Aside.WITH_DEFECT) + beside(fail, Aside.UNDONE) - beside(fail, Aside.BOTH)
    assert fail.numerator == either


@given(cases())
def test_a_rollback_fails_nothing_where_it_is_not_to(case: Case) -> None:
    strict = figure(Metric.CHANGE_FAIL_RATE, case.facts, MARCH, Rules(rollbacks_fail=True))
    mild = figure(Metric.CHANGE_FAIL_RATE, case.facts, MARCH, Rules(rollbacks_fail=False))
    assert mild.numerator == beside(mild, Aside.WITH_DEFECT)
    assert strict.beside == mild.beside


@given(cases())
def test_a_place_has_what_is_its_own(case: Case) -> None:
    both = case.facts
    for repo in REPOS:
        found = figures(both.of_place(repo, {repo}), MARCH, Rules())
        alone = [release for release in case.releases if release.repo_id == repo]
        here = [fix for fix in case.fixes if fix.repo_id == repo]
        only = Case(alone, case.leads, [d for d in case.defects if repo in d.places], here)
        for metric in (Metric.DEPLOYMENT_FREQUENCY, Metric.CHANGE_LEAD_TIME, Metric.REWORK_RATE, Metric.RECOVERY_TIME):
            expected = naive(metric, Case(alone, case.leads, only.defects, case.fixes), MARCH, rollbacks_fail=True)
            assert value_of(found[metric]) == expected
        # What a release of it broke counts for it, wherever that was found.
        blamed = naive(Metric.CHANGE_FAIL_RATE, Case(alone, {}, case.defects, []), MARCH, rollbacks_fail=True)
        assert value_of(found[Metric.CHANGE_FAIL_RATE]) == blamed


@given(cases())
def test_places_sorted_out_at_once_are_what_each_has_by_itself(case: Case) -> None:
    facts = case.facts
    apart = facts.by_place({repo: repo for repo in REPOS})
    together = facts.by_place(dict.fromkeys(REPOS, REPOS[0]))
    for found, place, repos in (
        *((apart[repo], repo, {repo}) for repo in REPOS),
        (together[REPOS[0]], REPOS[0], set(REPOS)),
    ):
        assert figures(found, MARCH, Rules()) == figures(facts.of_place(place, repos), MARCH, Rules())


@given(cases())
def test_severities_share_the_defects_out(case: Case) -> None:
    whole = figure(Metric.RECOVERY_TIME, case.facts, MARCH, Rules())
    each = [figure(Metric.RECOVERY_TIME, each, MARCH, Rules()) for each in case.facts.by_severity().values()]
    assert sum(found.n for found in each) == whole.n


def test_a_handful_is_told_to_be_one() -> None:
    assert not figure(Metric.CHANGE_FAIL_RATE, judge([], {}, [], []), MARCH, Rules()).is_enough
    assert figure(Metric.DEPLOYMENT_FREQUENCY, judge([], {}, [], []), MARCH, Rules()).is_enough
    assert waiting(3).value == 3
    assert waiting(3).is_enough


def test_every_metric_reason_and_aside_has_its_words() -> None:
    assert set(INFO) == set(Metric)
    assert set(REASONS) == set(Reason)
    assert set(ASIDES) == set(Aside)
    for info in INFO.values():
        assert info.definition.endswith(".")
        assert Dimension.REPO in info.dimensions
