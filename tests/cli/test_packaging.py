"""What is installed elsewhere: the wheel, and the lock files it is installed by."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Instance, said, status
from tests.serving import SECONDS_TO_STOP


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as `make wheel` builds it."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], cwd=ROOT, check=True)
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_what_the_service_needs_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for needed in (
        "shipmend/web/static/vendor/htmx.min.js",
        "shipmend/delivery/migrations/0001_initial.py",
        "shipmend/web/templates/refused.html",
        "shipmend/web/metrics.md",
        "shipmend/py.typed",
    ):
        assert needed in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if name.startswith(("tests", "bench")) or "__pycache__" in name]


def test_the_wheel_installed_by_pip_serves(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "venv"
    venv.create(home, with_pip=True)
    # Its dependencies are those of this run, so that no registry is needed.
    (
        home / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages" / "here.pth"
    ).write_text(sysconfig.get_path("purelib"))
    install = [str(home / "bin" / "pip"), "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, check=True, env={**os.environ, "PYTHONPATH": ""})
    command = [str(home / "bin" / "shipmend"), "serve", "--port", "0", "--data", str(tmp_path / "data")]
    environ = {**Instance(tmp_path).environ, "PYTHONPATH": ""}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ, cwd=tmp_path) as server:
        try:
            address = said(server, "running").split()[-1]
            assert status(f"{address}/sign-in") == 200
            assert status(f"{address}/static/vendor/htmx.min.js") == 200
        finally:
            server.terminate()
            assert server.wait(SECONDS_TO_STOP) == 0


def test_what_runs_in_tests_is_what_runs_elsewhere() -> None:
    run, dev = _pins("run"), _pins("dev")
    assert "django" in run
    assert {name: dev.get(name) for name in run} == run


def test_every_locked_package_has_hashes() -> None:
    for name in ("run", "dev"):
        for pin in re.split(r"\n(?=\S)", _lock(name)):
            assert pin.startswith("#") or "--hash=sha256:" in pin, pin


def _pins(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==(\S+)", _lock(name), re.MULTILINE))


def _lock(name: str) -> str:
    return (ROOT / "requirements" / f"{name}.txt").read_text()
