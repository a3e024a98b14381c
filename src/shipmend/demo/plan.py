"""The whole story up to a day: three repositories, their releases, and the defects of all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shipmend.core.moments import open_zone
from shipmend.core.values import ResourcePath
from shipmend.demo.calendar import Calendar
from shipmend.demo.incidents import INCIDENTS, Incident
from shipmend.demo.team import Team
from shipmend.demo.values import Deploy, Fixed, Rhythm
from shipmend.demo.words import CHECKOUT, INVENTORY, STOREFRONT, Words

ENTITY = "larder"
TIME_ZONE = "Europe/Berlin"

_TEAMS: tuple[tuple[str, str, Words, Rhythm], ...] = (
    ("shop", "storefront", STOREFRONT, Rhythm(changes=6, days=(0, 1, 3), hour=10.6, tag="v", major=2)),
    (
        "shop",
        "checkout",
        CHECKOUT,
        # Last month's turn: a new payment provider, for which releases waited, and came late and large.
        Rhythm(
            changes=4,
            days=(1, 3),
            hour=9.8,
            tag="v",
            major=7,
            other_changes={-5: 9, -4: 10, -3: 11, -2: 9},
            other_days={-5: (), -4: (), -3: (2,), -2: (), -1: (1,)},
            new_majors=frozenset((-3,)),
        ),
    ),
    (
        "supply",
        "inventory",
        INVENTORY,
        Rhythm(changes=3, days=(2,), hour=13.5, tag="inventory-", major=1, is_rebased=True, is_tracked=True),
    ),
)


@dataclass(frozen=True, slots=True)
class RepoStory:
    """What happened in one repository."""

    path: ResourcePath
    team: Team


@dataclass(frozen=True, slots=True)
class Detection:
    """A defect is noticed."""

    path: ResourcePath
    incident: Incident
    at: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What happened up to an instant."""

    until: int
    repos: tuple[RepoStory, ...]
    detections: tuple[Detection, ...]

    @classmethod
    def make(cls, seed: int, now: int) -> Plan:
        """The story as it stands when the day begins that holds an instant, in the grocer's zone."""
        zone = open_zone(TIME_ZONE)
        calendar = Calendar.around(now, zone)
        repos = tuple(
            RepoStory(ResourcePath(ENTITY, organization, slug), Team(slug, words, rhythm, calendar, INCIDENTS, seed))
            for organization, slug, words, rhythm in _TEAMS
        )
        detections = tuple(
            Detection(ResourcePath.parse(f"{ENTITY}/{each.place}"), each, calendar.at(*each.at)) for each in INCIDENTS
        )
        return cls(calendar.day_of(now), repos, detections)

    def story(self, path: ResourcePath) -> RepoStory:
        """What happened in the repository at a path."""
        return next(each for each in self.repos if each.path == path)

    def detected(self) -> list[Detection]:
        """The defects that had been noticed by then."""
        return [each for each in self.detections if each.at <= self.until]

    def reports(self) -> Iterator[tuple[ResourcePath, Deploy | Fixed | Detection]]:
        """What is reported of it, in the order in which it happened."""
        found: list[tuple[ResourcePath, Deploy | Fixed | Detection]] = [(each.path, each) for each in self.detections]
        for repo in self.repos:
            if not repo.team.rhythm.is_tracked:
                found += [(repo.path, deploy) for deploy in repo.team.deploys]
            found += [(repo.path, fix) for fix in repo.team.fixes]
        return (each for each in sorted(found, key=lambda each: each[1].at) if each[1].at <= self.until)
