"""Which releases and defects a list shows: all of it is in the address, so a view of the lists can be sent on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import QueryDict

from shipmend.catalog.models import Repo
from shipmend.core.causes import CauseKind
from shipmend.core.defect_browser import Order
from shipmend.core.defects import DefectState
from shipmend.core.windows import midnight
from shipmend.delivery.defect_browser import Wanted
from shipmend.web.forms import PageForm

YEARS = "Write a day in the years 1970 to 2099."
LONGEST_PAGE_NUMBER = 6
INTEGER_LIMIT = 2**31
"""A severity lies below it, as the API takes it."""


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What to show: None is everything. Times are epoch seconds, `end` is the first one left out."""

    start: int | None
    end: int | None
    environment: str | None = None

    def __bool__(self) -> bool:
        return any(value is not None for value in (self.environment, self.start, self.end))


class DayField(forms.DateField):
    """A day as date inputs send it, or as people type it where there is no such input: 2021-02-28."""

    def __init__(self, label: str) -> None:
        super().__init__(
            label=label,
            required=False,
            widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            input_formats=["%Y-%m-%d"],
            error_messages={"invalid": "Write a day as 2021-02-28."},
            validators=[MinValueValidator(date(1970, 1, 1), YEARS), MaxValueValidator(date(2099, 12, 31), YEARS)],
        )


class DaysFilter(PageForm):
    """The filter above a list. What can't be read is told at its field and narrows nothing."""

    start_date = DayField("From")
    end_date = DayField("To")

    def __init__(self, query: QueryDict, zone: ZoneInfo) -> None:
        super().__init__(query)
        self._zone = zone
        self.full_clean()

    @property
    def narrowing(self) -> Narrowing:
        """The filter, read."""
        return Narrowing(self._midnight("start_date", 0), self._midnight("end_date", 1))

    @property
    def query(self) -> str:
        """The days as the end of the address of another page about them, with its question mark; empty for all days."""
        days = {name: self.cleaned_data.get(name) for name in ("start_date", "end_date")}
        chosen = {name: day for name, day in days.items() if day is not None}
        return f"?{urlencode(chosen)}" if chosen else ""

    def _midnight(self, field: str, days_later: int) -> int | None:
        """The instant at which a day begins on the entity's clocks."""
        day: date | None = self.cleaned_data.get(field)
        return None if day is None else midnight(day + timedelta(days=days_later), self._zone)


class ReleaseFilter(DaysFilter):
    """The filter above a list of releases."""

    environment = forms.ChoiceField(label="Environment", required=False)
    field_order = ("environment", "start_date", "end_date")

    def __init__(self, query: QueryDict, environments: Sequence[str], zone: ZoneInfo) -> None:
        self._environments = environments
        super().__init__(query, zone)

    def full_clean(self) -> None:
        """Check what was chosen against the environments that there are."""
        offer(self, "environment", [("", "every one"), *((name, name) for name in self._environments)])
        super().full_clean()

    @property
    def narrowing(self) -> Narrowing:
        """The filter, read."""
        days = super().narrowing
        return Narrowing(days.start, days.end, environment=self.text("environment") or None)


class DefectFilter(DaysFilter):
    """The filter above a list of defects."""

    state = forms.ChoiceField(
        label="State",
        required=False,
        choices=(
            ("", "open and resolved"),
            (DefectState.OPEN.value, "open only"),
            (DefectState.RESOLVED.value, "resolved only"),
        ),
    )
    repo = forms.ChoiceField(label="Repo", required=False)
    severity = forms.IntegerField(
        label="Severity",
        required=False,
        min_value=-INTEGER_LIMIT,
        max_value=INTEGER_LIMIT - 1,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "size": "5", "autocomplete": "off"}),
    )
    cause = forms.ChoiceField(
        label="Cause", required=False, choices=[("", "any"), *((kind.value, kind.value) for kind in CauseKind)]
    )
    sort = forms.ChoiceField(
        required=False, choices=[(order.value, order.value) for order in Order], widget=forms.HiddenInput
    )
    field_order = ("state", "repo", "severity", "cause", "start_date", "end_date", "sort")

    def __init__(self, query: QueryDict, repos: Sequence[Repo], zone: ZoneInfo) -> None:
        self._repos = {f"{repo.organization.slug}/{repo.slug}": repo for repo in repos}
        super().__init__(query, zone)

    def full_clean(self) -> None:
        """Check what was chosen against the repos that there are."""
        offer(self, "repo", [("", "every one"), *((name, name) for name in self._repos)])
        super().full_clean()

    @property
    def chosen_repo(self) -> Repo | None:
        """The repo chosen, if any."""
        return self._repos.get(self.text("repo"))

    @property
    def wanted(self) -> Wanted:
        """The filter, read."""
        days = self.narrowing
        return Wanted(
            start=days.start,
            end=days.end,
            state=DefectState(state) if (state := self.text("state")) else None,
            severity=self.cleaned_data.get("severity"),
            cause=CauseKind(cause) if (cause := self.text("cause")) else None,
            order=Order(self.text("sort")),
        )

    @property
    def narrows(self) -> bool:
        """Whether something is left out."""
        return self.chosen_repo is not None or replace(self.wanted, order=Order.OPEN_FIRST) != Wanted()


def offer(form: PageForm, field: str, choices: Sequence[tuple[str, str]]) -> None:
    """Let a form's field be one of these (value, words)."""
    form.fields[field] = forms.ChoiceField(label=form.fields[field].label, required=False, choices=choices)


def page_number(query: QueryDict, parameter: str) -> int:
    """The page asked for of one list, from 1; the first for anything that is no page."""
    text = query.get(parameter, "")
    is_number = text.isascii() and text.isdigit() and len(text) <= LONGEST_PAGE_NUMBER
    return max(1, int(text)) if is_number else 1
