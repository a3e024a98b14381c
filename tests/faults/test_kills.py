"""kill -9 of the web process, of the worker and of both, at any moment under write load."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

import pytest

from tests.faults.figures import DATABASE, note
from tests.faults.history import History, judge
from tests.faults.instance import Instance, eventually, instance
from tests.faults.load import load
from tests.faults.scale import rounds
from tests.gitworld import GitRepo

pytestmark = pytest.mark.database

ROUNDS = rounds(200, least=3 if DATABASE == "sqlite" else 1)
CLIENTS = 8
VICTIMS = (("web",), ("worker",), ("web", "worker"))


def test_nothing_acknowledged_is_lost_or_done_twice_when_processes_are_killed(tmp_path: Path) -> None:
    chance = random.Random(7)
    git = GitRepo(tmp_path / "upstream.git")
    history, waits = History(), []
    with instance(tmp_path, git.path) as here:
        for name in ("web", "worker"):
            here.start(name)
        here.wait_until_ready()
        with load(here, history, clients=CLIENTS, seed=7) as clients:
            for n in range(ROUNDS):
                git.commit(f"Commit {n}")
                _ask_for_an_index(here)
                time.sleep(chance.uniform(0.05, 0.8))
                victims = VICTIMS[n % len(VICTIMS)]
                for name in victims:
                    here.processes[name].kill()
                for name in victims:
                    here.start(name)
                waits.append(here.wait_until_ready())
            before = history.acknowledged
            eventually(lambda: history.acknowledged > before + CLIENTS)
        _ask_for_an_index(here)
        eventually(
            lambda: here.get("imports?resource_path=e/acme/git0")[1]["imports"][0]["commits"] == len(git.commits)
        )
        assert here.processes["web"].stop() == 0
        # The last one may have been started a moment ago, and not yet have come to hear what it is told.
        assert here.processes["worker"].stop() in (0, -signal.SIGTERM)
        here.check_integrity()
        verdict = judge(history.events, here.stored())
    note(
        "kill -9 of web, worker, both",
        f"{ROUNDS} rounds, {history.acknowledged} acknowledged writes",
        f"{verdict}; ready again after {sorted(waits)[len(waits) // 2]:.1f} s, at most {max(waits):.1f} s",
    )
    assert verdict.is_clean, verdict.lost + verdict.doubled + verdict.kept + verdict.stale
    assert clients.count(500) == 0
    assert history.acknowledged > CLIENTS


def _ask_for_an_index(here: Instance) -> None:
    """Of the repo that has a remote, so that the worker has something to be killed at."""
    assert here.post("imports", resource_path="e/acme/git0")[0] == 200
