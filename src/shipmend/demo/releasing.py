"""How a repository is released: by rhythm, now and then at the second try, and again when something broke."""

from __future__ import annotations

import random

from shipmend.core.releases import Status
from shipmend.demo.agenda import HOUR, Agenda
from shipmend.demo.calendar import Calendar
from shipmend.demo.coding import Coding
from shipmend.demo.history import Made
from shipmend.demo.values import PRODUCTION, STAGING, Deploy, Fixed, Rhythm

BUILD = 2 * HOUR
"""From what stands on the trunk to its release."""
MOST_KEYS = 8
FAILS, IS_CANCELLED, IS_REPEATED = 0.03, 0.045, 0.97
"""Of one throw of dice: below which a deploy fails first, or is cancelled first, and above which it is repeated."""


class Releasing:
    """The releases of one repository, and the fixes that they carry."""

    def __init__(self, rhythm: Rhythm, coding: Coding, calendar: Calendar, agenda: Agenda, rng: random.Random) -> None:
        self.deploys: list[Deploy] = []
        self.fixes: list[Fixed] = []
        self.fixes_waiting: list[tuple[str, Made]] = []
        """Repairs on the trunk, each with the key of its defect, that no release has carried yet."""
        self._rhythm = rhythm
        self._coding = coding
        self._calendar = calendar
        self._agenda = agenda
        self._rng = rng
        self._version = (rhythm.major, 0, 0)

    @property
    def shipped(self) -> list[Deploy]:
        """What went live in production, oldest first."""
        return [each for each in self.deploys if each.environment == PRODUCTION and each.status is Status.SUCCEEDED]

    @property
    def latest(self) -> Made:
        """The commit of the highest version, even if that was rolled back."""
        return max((each.commit for each in self.shipped), key=lambda made: made.number)

    def stage(self, at: int) -> None:
        """Bring the trunk to staging, where it isn't there already."""
        commit = self._coding.history.tip_at(at)
        staged = [each for each in self.deploys if each.environment == STAGING]
        if not staged or staged[-1].commit is not commit:
            self.deploys.append(Deploy(at, commit, f"build {commit.number}", STAGING))

    def release(self, at: int) -> None:
        """A release by rhythm, if there is something new."""
        commit, shipped = self._coding.history.tip_at(at - BUILD), self.shipped
        if shipped and commit.number <= self.latest.number:
            return
        major, minor, _ = self._version
        is_major = self._calendar.week_of(at) in self._rhythm.new_majors
        self._version = (major + 1, 0, 0) if is_major else (major, minor + 1, 0)
        luck = 0.5 if self._rhythm.is_tracked else self._rng.random()
        if luck < IS_CANCELLED:
            status = Status.FAILED if luck < FAILS else Status.CANCELLED
            self.deploys.append(Deploy(at - HOUR // 2, commit, self._name, status=status))
        deploy = self._ship(at, commit)
        self._carry_fixes(deploy)
        if luck > IS_REPEATED:
            self._agenda.add(at + 29 * HOUR, lambda when: self._redeploy(when, deploy))

    def patch(self, at: int, key: str, fix: Made) -> None:
        """A release for the sake of one fix."""
        major, minor, patch = self._version
        self._version = (major, minor, patch + 1)
        self._ship(at, fix)
        self.fixes.append(Fixed(key, at, fix, with_time=True))

    def roll_back(self, at: int) -> None:
        """What was live before is live again."""
        before = next(each for each in reversed(self.shipped) if each.commit is not self.shipped[-1].commit)
        self.deploys.append(Deploy(at, before.commit, before.name))

    @property
    def _name(self) -> str:
        return self._rhythm.tag + ".".join(map(str, self._version))

    def _ship(self, at: int, commit: Made) -> Deploy:
        self._coding.history.tag(self._name, commit, at, self._coding.maintainer)
        deploy = Deploy(at, commit, self._name, keys=self._coding.take_keys()[-MOST_KEYS:])
        self.deploys.append(deploy)
        return deploy

    def _carry_fixes(self, deploy: Deploy) -> None:
        carried = [each for each in self.fixes_waiting if each[1].at <= deploy.commit.at]
        self.fixes += [Fixed(key, deploy.at, fix, with_time=True) for key, fix in carried]
        self.fixes_waiting = [each for each in self.fixes_waiting if each not in carried]

    def _redeploy(self, at: int, deploy: Deploy) -> None:
        if self.shipped[-1] is deploy:
            self.deploys.append(Deploy(at, deploy.commit, f"{deploy.name}, new settings"))
