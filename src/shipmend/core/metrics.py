"""The metrics by name: what each says, in which unit, and what its rows are. docs/metrics.md has an example of each."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

from shipmend.core.errors import Invalid


class Metric(StrEnum):
    """What is measured. The first five are the metrics of Google's DORA programme (dora.dev, 2026)."""

    DEPLOYMENT_FREQUENCY = "deployment_frequency"
    CHANGE_LEAD_TIME = "change_lead_time"
    CHANGE_FAIL_RATE = "change_fail_rate"
    RECOVERY_TIME = "failed_deployment_recovery_time"
    REWORK_RATE = "deployment_rework_rate"
    TIME_TO_FIRST_FIX = "time_to_first_fix"
    FIXES_NOT_HOLDING = "fixes_not_holding"
    COMMITS_WAITING = "commits_waiting"
    OPEN_DEFECTS = "open_defects"


class Unit(StrEnum):
    """What a value counts."""

    PER_DAY = "releases per day"
    SECONDS = "seconds"
    SHARE = "share"
    """From 0 to 1."""
    COMMITS = "commits"
    DEFECTS = "defects"


class RowKind(StrEnum):
    """What the rows behind a figure are, as the audits of the API name them."""

    COMMITS = "commits"
    RELEASES = "releases"
    DEFECTS = "defects"


class Dimension(StrEnum):
    """What a metric can be split by."""

    REPO = "repo"
    ORGANIZATION = "organization"
    SEVERITY = "severity"
    AUTHOR = "author"


@dataclass(frozen=True, slots=True)
class MetricInfo:
    """A metric, in words."""

    metric: Metric
    name: str
    definition: str
    """One sentence."""
    unit: Unit
    rows: RowKind
    dimensions: tuple[Dimension, ...]
    is_better_low: bool

    @property
    def is_duration(self) -> bool:
        """Whether its value is a median of times."""
        return self.unit is Unit.SECONDS


_PLACES = (Dimension.REPO, Dimension.ORGANIZATION)
_DEFECTS = (*_PLACES, Dimension.SEVERITY)

INFO = {
    info.metric: info
    for info in (
        MetricInfo(
            Metric.DEPLOYMENT_FREQUENCY,
            "Deployment frequency",
            "Counted releases divided by the days of the window; a release counts when it succeeded and changed what is"
            " live.",
            Unit.PER_DAY,
            RowKind.RELEASES,
            _PLACES,
            is_better_low=False,
        ),
        MetricInfo(
            Metric.CHANGE_LEAD_TIME,
            "Change lead time",
            "From a commit's authorship to the first release that contains it, over the commits first shipped in the"
            " window; the figure is the median.",
            Unit.SECONDS,
            RowKind.COMMITS,
            (*_PLACES, Dimension.AUTHOR),
            is_better_low=True,
        ),
        MetricInfo(
            Metric.CHANGE_FAIL_RATE,
            "Change fail rate",
            "Of the counted releases of the window, the share that caused a critical defect or was undone by a"
            " rollback.",
            Unit.SHARE,
            RowKind.RELEASES,
            _PLACES,
            is_better_low=True,
        ),
        MetricInfo(
            Metric.RECOVERY_TIME,
            "Failed deployment recovery time",
            "From detection to the latest fix over all repos, of the defects resolved in the window; the figure is the"
            " median.",
            Unit.SECONDS,
            RowKind.DEFECTS,
            _DEFECTS,
            is_better_low=True,
        ),
        MetricInfo(
            Metric.REWORK_RATE,
            "Deployment rework rate",
            "Of the counted releases of the window, the share that carried a fix for a critical defect.",
            Unit.SHARE,
            RowKind.RELEASES,
            _PLACES,
            is_better_low=True,
        ),
        MetricInfo(
            Metric.TIME_TO_FIRST_FIX,
            "Time to first fix",
            "From detection to the first fix in any repo, of the defects whose first fix was released in the window;"
            " the figure is the median.",
            Unit.SECONDS,
            RowKind.DEFECTS,
            _DEFECTS,
            is_better_low=True,
        ),
        MetricInfo(
            Metric.FIXES_NOT_HOLDING,
            "Fixes that did not hold",
            "Of the fixes released in the window, the share after which the same repo needed another one for the same"
            " defect.",
            Unit.SHARE,
            RowKind.DEFECTS,
            _DEFECTS,
            is_better_low=True,
        ),
        MetricInfo(
            Metric.COMMITS_WAITING,
            "Commits waiting",
            "Commits merged into the release branch that no succeeded release contains, as of now, without merges.",
            Unit.COMMITS,
            RowKind.COMMITS,
            _PLACES,
            is_better_low=True,
        ),
        MetricInfo(
            Metric.OPEN_DEFECTS,
            "Open defects",
            "Defects detected, and not resolved, by the end of the window.",
            Unit.DEFECTS,
            RowKind.DEFECTS,
            _DEFECTS,
            is_better_low=True,
        ),
    )
}

DORA = tuple(Metric)[:5]

ALIASES = {
    "deployments_per_day": Metric.DEPLOYMENT_FREQUENCY,
    "deploy_frequency": Metric.DEPLOYMENT_FREQUENCY,
    "release_frequency": Metric.DEPLOYMENT_FREQUENCY,
    "lead_time": Metric.CHANGE_LEAD_TIME,
    "lead_time_for_changes": Metric.CHANGE_LEAD_TIME,
    "change_failure_rate": Metric.CHANGE_FAIL_RATE,
    "defect_rate": Metric.CHANGE_FAIL_RATE,
    "mttr": Metric.RECOVERY_TIME,
    "time_to_restore": Metric.RECOVERY_TIME,
    "mean_time_to_recover": Metric.RECOVERY_TIME,
    "rework_rate": Metric.REWORK_RATE,
    "unresolved_defects": Metric.OPEN_DEFECTS,
}
"""What others call them, GitClear among them. Only names that mean the same."""


def aliases_of(metric: Metric) -> tuple[str, ...]:
    """The other names of a metric."""
    return tuple(alias for alias, named in ALIASES.items() if named is metric)


def metric_named(text: str, *, parameter: str = "segment_em") -> Metric:
    """A metric by its name, however it is spelt. Raises Invalid naming the nearest, or all."""
    word = "_".join(text.lower().replace("-", " ").replace("_", " ").split())
    names = {str(metric): metric for metric in Metric}
    names |= {info.name.lower().replace(" ", "_"): metric for metric, info in INFO.items()} | ALIASES
    if word in names:
        return names[word]
    near = dict.fromkeys(names[close] for close in get_close_matches(word, names, n=4))
    mend = f"perhaps {' or '.join(near)} is meant" if near else f"give one of {', '.join(Metric)}"
    raise Invalid(parameter, "is no segment", value=text, mend=mend)
