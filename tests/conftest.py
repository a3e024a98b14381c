"""One real database for a whole run, and a fresh entity for each test.

The tests write as the service does: through the writer thread, with real commits. So nothing is rolled back after
a test; what keeps tests apart is what keeps tenants apart. `SHIPMEND_TEST_DATABASE=postgresql` runs the tests that
are marked `database` on a real PostgreSQL, started here from a wheel.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# A build machine judges the change before it, by the same examples each time; new ones are looked for everywhere else.
settings.register_profile("build", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("build")

KIND = os.environ.get("SHIPMEND_TEST_DATABASE", "sqlite")
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
FOLDER = Path(tempfile.mkdtemp(prefix=f"shipmend-tests-{WORKER}-"))

os.environ["SHIPMEND_DATA"] = str(FOLDER)
os.environ["DJANGO_SETTINGS_MODULE"] = "shipmend.settings"
os.environ["SHIPMEND_TOKEN_FAILURES"] = "0"  # all tests call from one address
os.environ.pop("DATABASE_URL", None)
if KIND == "postgresql":
    from tests.postgres import database_url

    os.environ["DATABASE_URL"] = database_url(f"test_{WORKER}_{os.getpid()}")

from shipmend.bootstrap import bring_tables_up_to_date, open_instance  # noqa: E402 -- reads the environment set above

open_instance(migrate=False)

from shipmend.accounts.calls import calls  # noqa: E402 -- needs Django set up
from tests.demo.sample import Sample  # noqa: E402 -- as above
from tests.gitworld import GitRepo  # noqa: E402
from tests.world import World  # noqa: E402 -- as above


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL run only what touches the database, and is not about SQLite: the rest ran on the first round."""
    if KIND == "postgresql":
        kept = [item for item in items if _is_for_postgres(item)]
        config.hook.pytest_deselected(items=[item for item in items if not _is_for_postgres(item)])
        items[:] = kept


def _is_for_postgres(item: pytest.Item) -> bool:
    return bool(item.get_closest_marker("database")) and not item.get_closest_marker("sqlite")


def pytest_sessionfinish() -> None:
    """Leave nothing behind, and nothing to be stored once PostgreSQL has been stopped."""
    calls.flush()
    shutil.rmtree(FOLDER, ignore_errors=True)


@pytest.fixture(scope="session")
def instance() -> Path:
    """The run's instance, its tables made: its data folder."""
    bring_tables_up_to_date()
    return FOLDER


@pytest.fixture(autouse=True)
def _tables_for_marked_tests(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("database"):
        request.getfixturevalue("instance")


@pytest.fixture
def world(instance: Path) -> World:
    """A fresh entity with an organization, and ways to act in it."""
    return World.make()


@pytest.fixture
def stranger(instance: Path) -> World:
    """Another entity, which must never see the first."""
    return World.make()


@pytest.fixture(scope="session")
def sample(instance: Path, tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """The sample of `make demo`, for tests that only read: nearly a year of three repos."""
    return Sample.make(tmp_path_factory.mktemp("sample"))


@pytest.fixture
def git_repo(tmp_path: Path) -> GitRepo:
    """An empty upstream to make history in."""
    return GitRepo(tmp_path / "upstream.git")


@pytest.fixture(scope="session")
def live_server(instance: Path) -> Iterator[str]:
    """A real `shipmend serve` on the run's database, without a worker, which would work for every test: its address."""
    from tests.serving import serve

    with serve(instance, python=sys.executable) as address:
        yield address


@pytest.fixture
def worker(instance: Path) -> Iterator[None]:
    """A real `shipmend worker` on the run's database, while the test lasts; for it alone, not for tests before it."""
    from tests.serving import work
    from tests.world import leave_nothing_to_do

    leave_nothing_to_do()
    with work(instance, python=sys.executable):
        yield
