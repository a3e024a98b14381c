"""An instance of any size, for measuring pages and reports: `python -m bench.scale --data DIR`.

Several synthetic repositories over two years that end today, indexed as any other; then their releases and defects,
written to a file of JSON lines and recorded by `shipmend import`. By default a million commits, ten thousand releases
and five thousand defects.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.git import Pace, synthetic

DAY = 24 * 3600
DAYS = 730
ENTITY = "scale"
REPOS = (
    ("core", "monolith", 50),
    ("core", "payments", 15),
    ("web", "shop", 15),
    ("web", "admin", 10),
    ("data", "feeds", 10),
)
"""Organization, repo, and its share of everything in percent."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is to be."""

    commits: int = 1_000_000
    releases: int = 10_000
    defects: int = 5_000


@dataclass(frozen=True, slots=True)
class Shipped:
    """A succeeded release to production."""

    path: str
    at: int
    sha: str


def main() -> None:
    """Make it, and tell how long each part took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    for name, default in (("commits", 1_000_000), ("releases", 10_000), ("defects", 5_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    make(given.data, Size(given.commits, given.releases, given.defects), now=int(time.time()))


def make(data: Path, size: Size, *, now: int) -> None:
    """An instance in `data`, which holds nothing yet."""
    upstreams = data / "upstreams"
    upstreams.mkdir(parents=True)
    began = now - DAYS * DAY
    for organization, repo, share in REPOS:
        commits = max(size.commits * share // 100, 20)
        git_dir = synthetic(upstreams / f"{repo}.git", commits, pace=Pace(began, (DAYS * DAY - DAY) / commits))
        _shipmend(data, "repo", "add", f"{ENTITY}/{organization}/{repo}", str(git_dir))
        _told(f"{repo}: {commits:,} commits written")
    _shipmend(data, "repo", "index")
    _told("indexed")
    lines = data / "lines.jsonl"
    lines.write_text("".join(json.dumps(line) + "\n" for line in _lines(upstreams, size, now)))
    _shipmend(data, "import", str(lines))
    _told(f"{size.releases:,} releases and {size.defects:,} defects recorded")


def _lines(upstreams: Path, size: Size, now: int) -> Iterator[dict[str, object]]:
    rng = random.Random(1)
    shipped: list[Shipped] = []
    for organization, repo, share in REPOS:
        path = f"{ENTITY}/{organization}/{repo}"
        for line in _releases(path, _trunk(upstreams / f"{repo}.git"), size.releases * share // 100, now, rng):
            if line["environment"] == "production" and line["status"] == "succeeded":
                shipped.append(Shipped(path, int(str(line["released_at"])), str(line["release_sha"])))
            yield line
    shipped.sort(key=lambda release: release.at)
    for number in range(size.defects):
        yield from _defect(number, shipped, rng)


def _trunk(git_dir: Path) -> list[str]:
    """The shas of the trunk, oldest first: every tenth commit beside it is left out."""
    shas = dict(line.split() for line in (git_dir / "marks").read_text().splitlines())
    return [shas[f":{number}"] for number in range(1, len(shas) + 1) if number % 10 != 9]


def _releases(path: str, trunk: list[str], many: int, now: int, rng: random.Random) -> Iterator[dict[str, object]]:
    """Of ten, eight go to production: some are rolled back, some fail, some are repeated."""
    for number in range(many):
        place = (number + 1) * len(trunk) // many - 1
        luck = rng.random()
        back = max(0, place - 2 * len(trunk) // many) if luck < 0.02 else place
        yield {
            "type": "release",
            "resource_path": path,
            "release_sha": trunk[back],
            "released_at": str(now - DAYS * DAY + (number + 1) * (DAYS * DAY - DAY) // many + 3600),
            "name": f"v{number}",
            "environment": "staging" if number % 10 in (3, 7) else "production",
            "status": "failed" if luck > 0.97 else "succeeded",
        }


def _defect(number: int, shipped: list[Shipped], rng: random.Random) -> Iterator[dict[str, object]]:
    """Noticed some hours after a release, and fixed by a later one or two; of a hundred, one is not."""
    place = rng.randrange(len(shipped))
    cause = shipped[place]
    at = cause.at + rng.randrange(600, 10 * 3600)
    entity, organization, _ = cause.path.split("/")
    where = rng.choice((cause.path, cause.path, cause.path, f"{entity}/{organization}", entity))
    key = f"SCALE-{number}"
    yield {
        "type": "defect",
        "defect_key": key,
        "resource_path": where,
        "detected_at": str(at),
        "severity": rng.randint(1, 4),
        "description": f"What users saw, case {number}",
    }
    later = [release for release in shipped[place + 1 : place + 60] if release.at >= at]
    for fix in rng.sample(later, k=min(len(later), rng.choices((0, 1, 2), (1, 79, 20))[0])):
        yield {
            "type": "defect",
            "defect_key": key,
            "resource_path": fix.path,
            "fix_released_at": str(fix.at),
            "fix_released_sha": fix.sha,
        }


def _shipmend(data: Path, *words: str) -> None:
    environ = {**os.environ, "PYTHONPATH": "src", "SHIPMEND_DATA": str(data)}
    subprocess.run([sys.executable, "-m", "shipmend", *words], check=True, env=environ)


def _told(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", flush=True)


if __name__ == "__main__":
    main()
