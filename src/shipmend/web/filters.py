"""Which releases and defects a page shows: all of it is in the address, so a view of the lists can be sent on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import QueryDict

from shipmend.core.defects import DefectState
from shipmend.web.forms import PageForm

YEARS = "Write a day in the years 1970 to 2099."
LONGEST_PAGE_NUMBER = 6


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What to show: None is everything. Times are epoch seconds, `end` is the first one left out."""

    environment: str | None
    state: DefectState | None
    start: int | None
    end: int | None

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


class ListFilter(PageForm):
    """The filter above the lists of a place. What can't be read is told at its field and narrows nothing."""

    environment = forms.ChoiceField(label="Environment", required=False)
    start_date = DayField("From")
    end_date = DayField("To")
    state = forms.ChoiceField(
        label="Defects",
        required=False,
        choices=(
            ("", "open and resolved"),
            (DefectState.OPEN.value, "open only"),
            (DefectState.RESOLVED.value, "resolved only"),
        ),
    )

    def __init__(self, query: QueryDict, environments: Sequence[str], zone: ZoneInfo) -> None:
        super().__init__(query)
        offered = [(name, name) for name in environments]
        self.fields["environment"] = forms.ChoiceField(
            label="Environment", required=False, choices=[("", "every one"), *offered]
        )
        self._zone = zone
        self.full_clean()

    @property
    def narrowing(self) -> Narrowing:
        """The filter, read."""
        return Narrowing(
            environment=self.text("environment") or None,
            state=DefectState(state) if (state := self.text("state")) else None,
            start=self._midnight("start_date", 0),
            end=self._midnight("end_date", 1),
        )

    def _midnight(self, field: str, days_later: int) -> int | None:
        """The instant at which a day begins on the entity's clocks."""
        day: date | None = self.cleaned_data.get(field)
        if day is None:
            return None
        return int(datetime.combine(day + timedelta(days=days_later), time(), tzinfo=self._zone).timestamp())


def page_number(query: QueryDict, parameter: str) -> int:
    """The page asked for of one list, from 1; the first for anything that is no page."""
    text = query.get(parameter, "")
    is_number = text.isascii() and text.isdigit() and len(text) <= LONGEST_PAGE_NUMBER
    return max(1, int(text)) if is_number else 1
