"""Which releases and defects a list shows: all of it is in the address, so a view of the lists can be sent on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import QueryDict

from shipmend.core.defects import DefectState
from shipmend.core.windows import midnight
from shipmend.web.forms import PageForm

YEARS = "Write a day in the years 1970 to 2099."
LONGEST_PAGE_NUMBER = 6


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What to show: None is everything. Times are epoch seconds, `end` is the first one left out."""

    start: int | None
    end: int | None
    environment: str | None = None
    state: DefectState | None = None

    def __bool__(self) -> bool:
        return any(value is not None for value in (self.environment, self.state, self.start, self.end))


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
        label="Defects",
        required=False,
        choices=(
            ("", "open and resolved"),
            (DefectState.OPEN.value, "open only"),
            (DefectState.RESOLVED.value, "resolved only"),
        ),
    )

    @property
    def narrowing(self) -> Narrowing:
        """The filter, read."""
        days = super().narrowing
        return Narrowing(days.start, days.end, state=DefectState(state) if (state := self.text("state")) else None)


def offer(form: PageForm, field: str, choices: Sequence[tuple[str, str]]) -> None:
    """Let a form's field be one of these (value, words)."""
    form.fields[field] = forms.ChoiceField(label=form.fields[field].label, required=False, choices=choices)


def page_number(query: QueryDict, parameter: str) -> int:
    """The page asked for of one list, from 1; the first for anything that is no page."""
    text = query.get(parameter, "")
    is_number = text.isascii() and text.isdigit() and len(text) <= LONGEST_PAGE_NUMBER
    return max(1, int(text)) if is_number else 1
