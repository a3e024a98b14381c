"""The window that figures are of, as the address of a page tells it, so that what is seen can be sent on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from django import forms
from django.http import QueryDict

from shipmend.catalog.queries import Place
from shipmend.core.windows import Interval, Window
from shipmend.delivery.models import PRODUCTION
from shipmend.web.filters import DayField, offer
from shipmend.web.forms import PageForm

DAYS = 30
PRESETS = (7, 30, 90, 365)
LONGEST = 10_000
"""Days, some 27 years."""
MOST_PARTS = 400
"""More points than this no picture can show apart."""
_WORDS = {Interval.DAILY: "days", Interval.WEEKLY: "weeks", Interval.MONTHLY: "months", Interval.QUARTERLY: "quarters"}
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2099, 12, 31)


class WindowForm(PageForm):
    """Which days, of which environment, cut how. What can't be read is told at its field; then the usual is shown."""

    start_date = DayField("From")
    end_date = DayField("To")
    environment = forms.ChoiceField(label="Environment", required=False)
    interval = forms.ChoiceField(
        label="By", required=False, choices=[("", "what fits"), *((each.value, _WORDS[each]) for each in Interval)]
    )
    days = forms.IntegerField(required=False, min_value=1, max_value=LONGEST)

    def __init__(self, query: QueryDict, environments: Sequence[str], today: date, place: Place) -> None:
        super().__init__(query)
        self._today = today
        self._zone = place.tenant.zone
        offer(self, "environment", [("", PRODUCTION), *((name, name) for name in environments if name != PRODUCTION)])
        self.full_clean()

    @property
    def window(self) -> Window:
        """What was chosen; days from a first to a last one win over a number of days up to today."""
        first: date | None = self.cleaned_data.get("start_date")
        last: date | None = self.cleaned_data.get("end_date")
        days: int = self.cleaned_data.get("days") or DAYS
        if first is not None:
            return Window(first, max(first, last or self._today), self._zone)
        return Window.of_days(days, last or self._today, self._zone)

    def clean(self) -> None:
        """Refuse a window that ends before it begins, and one of more points than a picture can show."""
        first, last = self.cleaned_data.get("start_date"), self.cleaned_data.get("end_date")
        if first and last and last < first:
            del self.cleaned_data["end_date"]
            self.add_error("end_date", f"This is before {first}: give a later day, or swap the two.")
        window = self.window
        if window.days > LONGEST:
            self.cleaned_data.update(start_date=None, end_date=None)
            self.add_error("start_date", f"These are {window.days} days: choose at most {LONGEST}.")
            return
        interval = self.cleaned_data.get("interval")
        if interval and (parts := len(self.window.parts(Interval(interval)))) > MOST_PARTS:
            self.cleaned_data["interval"] = ""
            word = _WORDS[Interval(interval)]
            self.add_error("interval", f"These would be {parts} {word}: choose fewer days, or longer parts.")

    @property
    def chosen_interval(self) -> Interval:
        """How the window is cut."""
        chosen = self.text("interval")
        return Interval(chosen) if chosen else self.window.usual_interval

    @property
    def chosen_environment(self) -> str:
        """The environment that figures are of."""
        return self.text("environment") or PRODUCTION


@dataclass(frozen=True, slots=True)
class Choice:
    """Another window to look at."""

    label: str
    address: str
    is_current: bool = False


@dataclass(frozen=True, slots=True)
class Picker:
    """The window of a page, and the ways to others."""

    form: WindowForm
    window: Window
    interval: Interval
    environment: str
    has_environments: bool
    today: date
    keeps: tuple[tuple[str, str], ...]
    """What else the address says of the window; it goes along to every other one."""
    extras: tuple[tuple[str, str], ...]
    """What the address says of the page apart from its window."""

    @property
    def query(self) -> str:
        """The window as the end of another page's address, with its question mark; empty for the usual one."""
        return self._address(self._now(), extras=()).rstrip("?")

    @property
    def defects_query(self) -> str:
        """The days as the list of defects takes them; empty for the usual ones, of which it shows what it likes."""
        return self._of_list()

    @property
    def releases_query(self) -> str:
        """The same for the list of releases, with the environment."""
        return self._of_list(*((name, value) for name, value in self.keeps if name == "environment"))

    def _of_list(self, *more: tuple[str, str]) -> str:
        days = (("start_date", str(self.window.first)), ("end_date", str(self.window.last))) if self._now() else ()
        return f"?{urlencode([*days, *more])}" if days or more else ""

    @property
    def here(self) -> str:
        """The whole of this page's query, but for the pages of its lists."""
        return self._address(self._now())

    @property
    def presets(self) -> tuple[Choice, ...]:
        """The last week, month, quarter, year."""
        chosen = self._chosen_days
        return tuple(
            Choice(f"{days} days", self._address((("days", str(days)),) if days != DAYS else ()), days == chosen)
            for days in PRESETS
        )

    @property
    def earlier(self) -> Choice | None:
        """As many days, just before."""
        return None if self.window.first <= FIRST_DAY else self._days("Earlier", self.window.previous)

    @property
    def later(self) -> Choice | None:
        """As many days, just after; None where these are still to come."""
        window = self.window
        if window.last >= self.today:
            return None
        last = min(window.last + timedelta(days=window.days), LAST_DAY)
        return self._days("Later", Window.of_days(window.days, last, window.zone))

    @property
    def wider(self) -> Choice | None:
        """Three times as many days around these, as far as today."""
        window = self.window
        first = max(window.first - timedelta(days=window.days), FIRST_DAY)
        last = max(window.last, min(window.last + timedelta(days=window.days), self.today))
        if (last - first).days >= LONGEST or (first, last) == (window.first, window.last):
            return None
        return self._days("Zoom out", Window(first, last, window.zone))

    @property
    def part_words(self) -> str:
        """What the window is cut into: `days`."""
        return _WORDS[self.interval]

    def narrowed(self, **more: str) -> str:
        """The query of the same window with something else of the page: an empty text drops it."""
        kept = tuple((key, value) for key, value in self.extras if key not in more)
        return self._address(self._now(), extras=(*kept, *((key, value) for key, value in more.items() if value)))

    @property
    def _chosen_days(self) -> int | None:
        days = self.form.cleaned_data
        return None if days.get("start_date") or days.get("end_date") else self.window.days

    def _now(self) -> tuple[tuple[str, str], ...]:
        if self._chosen_days is None:
            return (("start_date", str(self.window.first)), ("end_date", str(self.window.last)))
        return () if self.window.days == DAYS else (("days", str(self.window.days)),)

    def _days(self, label: str, window: Window) -> Choice:
        return Choice(label, self._address((("start_date", str(window.first)), ("end_date", str(window.last)))))

    def _address(self, days: tuple[tuple[str, str], ...], extras: tuple[tuple[str, str], ...] | None = None) -> str:
        return f"?{urlencode([*days, *self.keeps, *(self.extras if extras is None else extras)])}"


def read_picker(
    query: QueryDict, place: Place, environments: Sequence[str], now: int, extras: Sequence[str] = ()
) -> Picker:
    """Read the window from an address. `extras`: other parameters of the page that outlive a change of window."""
    today = datetime.fromtimestamp(now, place.tenant.zone).date()
    form = WindowForm(query, environments, today, place)
    keeps = [(field, form.text(field)) for field in ("environment", "interval") if form.text(field)]
    others = [(name, value) for name in extras if (value := query.get(name, ""))]
    return Picker(
        form,
        form.window,
        form.chosen_interval,
        form.chosen_environment,
        any(name != PRODUCTION for name in environments),
        today,
        tuple(keeps),
        tuple(others),
    )
