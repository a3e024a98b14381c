"""One repository's weeks: work that is merged and released by rhythm, and incidents that break into it."""

from __future__ import annotations

import random
from collections.abc import Iterable

from shipmend.demo.agenda import HOUR, Agenda
from shipmend.demo.calendar import WORKDAYS, Calendar
from shipmend.demo.coding import Coding
from shipmend.demo.history import History
from shipmend.demo.incidents import Incident
from shipmend.demo.mending import Mending
from shipmend.demo.releasing import Releasing
from shipmend.demo.values import Deploy, Fixed, Rhythm
from shipmend.demo.words import Words

FIRST_WEEK = -44


class Team:
    """Those who work on one repository, and what came of it."""

    def __init__(
        self, slug: str, words: Words, rhythm: Rhythm, calendar: Calendar, incidents: Iterable[Incident], seed: int
    ) -> None:
        self.rhythm = rhythm
        self._slug = slug
        self._calendar = calendar
        self._rng = random.Random(f"{seed} {slug}")  # noqa: S311 -- a story, not a secret
        self._agenda = Agenda()
        self._coding = Coding(words, calendar, self._agenda, self._rng, is_rebased=rhythm.is_rebased)
        self._releasing = Releasing(rhythm, self._coding, calendar, self._agenda, self._rng)
        self._expect(incidents)
        self._live_on()

    @property
    def history(self) -> History:
        """The commits."""
        return self._coding.history

    @property
    def deploys(self) -> list[Deploy]:
        """The releases, and what failed to be one; also those that nobody reports."""
        return self._releasing.deploys

    @property
    def fixes(self) -> list[Fixed]:
        """The fixes, in the order in which they are reported."""
        return self._releasing.fixes

    def released_by_rhythm(self, before: int) -> Deploy:
        """The last version before an instant that was no patch."""
        shipped = (each for each in reversed(self._releasing.shipped) if each.at <= before)
        return next(each for each in shipped if each.name.endswith(".0"))

    def _expect(self, incidents: Iterable[Incident]) -> None:
        mending = Mending(self._coding, self._releasing, self._agenda)
        for incident in incidents:
            detected = self._calendar.at(*incident.at)
            for step in incident.steps:
                if step.repo == self._slug:
                    self._agenda.add(detected + round(step.after * HOUR), mending.deed(step.mend, incident))

    def _live_on(self) -> None:
        self._coding.begin(FIRST_WEEK - 1)
        for week in range(FIRST_WEEK, 1):
            for _ in range(self._many(week)):
                self._coding.plan_change(week)
            self._plan_releases(week)
        self._agenda.run()

    def _many(self, week: int) -> int:
        return self.rhythm.other_changes.get(week, self.rhythm.changes + self._rng.choice((-1, 0, 0, 1)))

    def _plan_releases(self, week: int) -> None:
        for day in self.rhythm.other_days.get(week, self.rhythm.days):
            hour = self.rhythm.hour + self._rng.uniform(-0.4, 1.2)
            self._agenda.add(self._calendar.at(week, day, hour), self._releasing.release)
        if not self.rhythm.is_tracked:
            for day in range(WORKDAYS):
                hour = 8.4 + self._rng.uniform(0, 0.3)
                self._agenda.add(self._calendar.at(week, day, hour), self._releasing.stage)
