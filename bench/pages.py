"""How long every page and every read of the API takes on a large instance: `make bench-pages`.

One process on one core: each route is asked once for each repo, when its history may have to be read first, and then
many times for ever other repos, releases and defects.
Prints the time of the 95th of 100 answers, on the clock and of the processor alone (which other load on the machine
does not lengthen), how many questions each asks the database, and what memory a thousand answers more have cost.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import re
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.scale import ENTITY, REPOS, Size, make
from shipmend.bootstrap import open_instance

if TYPE_CHECKING:
    from django.test import Client

FORMS = (302, 405)
"""How an address answers that takes a form only."""
GOAL = 100
"""Milliseconds."""

SKIPPED = re.compile(r"^(login|setup|sign|static|account|healthz|readyz|metrics|settings|api/v1/$|$)")
"""What shows nothing of an entity's data, or not to this person."""
QUERIES = {
    "api/v1/live": {"ticket": "PROJ-17"},
    "api/v1/changes": {"resource_path": "{path}", "from": "{sha}", "to": "{later_sha}"},
    "api/v1/reports": {"resource_path": "{entity}", "generate_summary_stats": "true", "days_ago": "90"},
    "api/v1/audits": {"resource_path": "{entity}", "resource_type": "commits", "days_ago": "90"},
    "api/v1/developers": {"resource_path": "{entity}"},
    "{any}/compare": {"from": "{sha}", "to": "{later_sha}"},
}
"""Parameters beside the path of a repo."""


@dataclass(frozen=True, slots=True)
class Case:
    """What fills the places of a route."""

    values: dict[str, str]

    def fill(self, template: str) -> str:
        """The text with its `<converter:name>` and `{name}` replaced."""
        text = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: self.values[found[1]], template)
        return re.sub(r"\{(\w+)\}", lambda found: self.values[found[1]], text)


@dataclass(frozen=True, slots=True)
class Took:
    """How long an answer took, in seconds."""

    clock: float
    processor: float
    status: int


@dataclass(frozen=True, slots=True)
class Measure:
    """One line of the table. Milliseconds."""

    route: str
    cold: Took
    took: Sequence[Took]
    questions: frozenset[int]

    @property
    def p95(self) -> float:
        """On the clock."""
        return _p95([each.clock for each in self.took])

    @property
    def line(self) -> str:
        """As it is printed."""
        questions = " to ".join(str(each) for each in sorted({min(self.questions), max(self.questions)}))
        middle = statistics.median(each.clock for each in self.took) * 1000
        processor = _p95([each.processor for each in self.took])
        times = f"{self.cold.clock * 1000:.0f} | {middle:.0f} | {self.p95:.0f} | {processor:.0f}"
        return f"| {self.route} | {self.cold.status} | {times} | {questions} | {'slow' if self.p95 > GOAL else ''} |"


def _p95(times: Sequence[float]) -> float:
    return statistics.quantiles(times, n=20)[-1] * 1000


def main() -> None:
    """Measure the instance in --data, or one made for it, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="made by bench.scale; without it one of full size is made")
    parser.add_argument("--answers", type=int, default=40, help="of each route, after the first")
    parser.add_argument("--more", type=int, default=1000, help="over all routes, for the memory")
    given = parser.parse_args()
    if given.data:
        _print(given.data, given.answers, given.more)
        return
    with tempfile.TemporaryDirectory(prefix="shipmend-bench-", dir=Path.cwd()) as folder:
        data = Path(folder) / "data"
        make(data, Size(), now=int(time.time()))
        _print(data, given.answers, given.more)


def _print(data: Path, answers: int, more: int) -> None:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    open_instance(data)
    logging.disable(logging.WARNING)
    client, token = _reader()
    routes = [route for route in _routes() if not SKIPPED.match(route)]
    cases = _cases(answers, random.Random(1))
    print("| route | status | slowest first of a repo, ms | p50 | p95 | p95 of the processor | questions | |")
    print("|---|---|---|---|---|---|---|---|")
    measured = []
    for route in routes:
        found = _measure(client, token, route, cases)
        if found.cold.status not in FORMS:
            measured.append(found)
            print(found.line, flush=True)
    before = _memory()
    for number in range(more):
        _ask(client, token, measured[number % len(measured)].route, cases[number % len(cases)])
    grown = _memory() - before
    print(f"\n{more} answers more: {before / 2**20:.0f} MB before, {grown / 2**20:+.1f} MB after")
    late = [found for found in measured if found.p95 > GOAL]
    print(f"{len(measured) - len(late)} of {len(measured)} routes answer 95 of 100 within {GOAL} ms")


def _measure(client: Client, token: str, route: str, cases: Sequence[Case]) -> Measure:
    from tests.questions import asked

    cold = max((_ask(client, token, route, case) for case in cases[: len(REPOS)]), key=lambda took: took.clock)
    took, questions = [], set()
    for case in cases:
        took.append(_ask(client, token, route, case))
        with asked() as told:
            _ask(client, token, route, case)
        questions.add(told.count)
    return Measure(route, cold, took, frozenset(questions))


def _ask(client: Client, token: str, route: str, case: Case) -> Took:
    query: dict[str, str] = {"resource_path": case.values["path"]} if route.startswith("api/") else {}
    for start, more in QUERIES.items():
        if re.match(re.escape(start).replace(re.escape("{any}"), ".*"), route):
            query |= more
    query = {name: case.fill(value) for name, value in query.items()}
    headers = {"Authorization": f"Bearer {token}"} if route.startswith("api/") else {}
    began, began_processor = time.perf_counter(), time.process_time()
    answer: Any = client.get("/" + case.fill(route), query, headers=headers)
    _ = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return Took(time.perf_counter() - began, time.process_time() - began_processor, answer.status_code)


def _routes() -> list[str]:
    """Every route that answers a GET, as it is written in the lists of them."""
    from django.urls import get_resolver

    found = list(_patterns(get_resolver().url_patterns, ""))
    shown = [(route.replace("tickets/<key:key>", "tickets/<key:ticket>"), view) for route, view in found]
    return [route for route, view in shown if "(" not in route and "^" not in route and _is_read(route, view)]


def _patterns(patterns: Sequence[Any], before: str) -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from _patterns(pattern.url_patterns, route)
        else:
            yield route, pattern.callback


def _is_read(route: str, view: Any) -> bool:
    if not route.startswith("api/"):
        return True
    return any(operation.method == "GET" for operation in getattr(view, "operations", ()))


def _reader() -> tuple[Client, str]:
    """An owner's browser, and a token."""
    from django.test import Client

    from shipmend.accounts import people, tokens
    from shipmend.audit.trail import COMMAND_LINE
    from shipmend.catalog.queries import find_place, find_tenant
    from shipmend.core.errors import NotFound
    from shipmend.core.values import ResourcePath, Role

    tenant, email = find_tenant(ENTITY), "bench@example.org"
    try:
        user = people.find_user(email)
    except NotFound:
        user = people.create_user(email=email, password=None)
    people.set_role(tenant=tenant, email=email, role=Role.OWNER, actor=COMMAND_LINE)
    client = Client()
    client.force_login(user)
    place = find_place(tenant, ResourcePath(ENTITY))
    return client, tokens.issue(place=place, name="bench", actor=COMMAND_LINE).text


def _cases(many: int, rng: random.Random) -> list[Case]:
    from shipmend.core.metrics import Metric
    from shipmend.delivery.models import CriticalDefect, Release

    metrics = [metric for metric in Metric if metric is not Metric.COMMITS_WAITING]
    releases = Release.objects.filter(environment="production", status="succeeded", entity__slug=ENTITY)
    of_repo = {
        repo: list(releases.filter(repo__slug=repo).order_by("released_at").values_list("id", "release_sha"))
        for _, repo, _ in REPOS
    }
    keys = list(CriticalDefect.objects.filter(entity__slug=ENTITY).values_list("defect_key", flat=True))
    cases = []
    for number in range(many):
        organization, repo, _ = REPOS[number % len(REPOS)]
        place = rng.randrange(len(of_repo[repo]) - 1)
        cases.append(
            Case(
                {
                    "entity": ENTITY,
                    "organization": organization,
                    "repo": repo,
                    "path": f"{ENTITY}/{organization}/{repo}",
                    "release_id": str(of_repo[repo][place][0]),
                    "sha": of_repo[repo][place][1],
                    "later_sha": of_repo[repo][place + 1][1],
                    "key": rng.choice(keys),
                    "defect_key": rng.choice(keys),
                    "ticket": f"PROJ-{rng.randrange(1, 100)}",
                    "environment": "production",
                    "metric": metrics[number % len(metrics)],
                }
            )
        )
    return cases


def _memory() -> int:
    """Bytes of this process in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()
