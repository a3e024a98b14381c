"""Finding a Chromium: the one named, the machine's own, or the one that npm brought (no root, no system libraries)."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "node_modules" / "@sparticuz" / "chromium"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
HOW_TO_INSTALL = (
    "the pages are NOT tested in a browser: there is no Chromium. Run `npm ci --ignore-scripts` in the checkout, "
    "or install Debian's package `chromium`, or say where one is with SHIPMEND_CHROMIUM=<path>"
)
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{folder}/fonts</dir><dir>/usr/share/fonts</dir><cachedir>{folder}/font-cache</cachedir></fontconfig>
"""


@dataclass(frozen=True)
class Chromium:
    """A browser's program, and what it needs in its environment."""

    program: str
    environ: dict[str, str] = field(default_factory=dict)


def find_chromium() -> Chromium | None:
    """The first that there is."""
    named = os.environ.get("SHIPMEND_CHROMIUM", "")
    if named:
        return Chromium(named)
    for name in NAMES:
        program = shutil.which(name)
        if program:
            return Chromium(program)
    return _packaged() if (PACKAGE / "bin" / "chromium.br").exists() and shutil.which("node") else None


def _packaged() -> Chromium:
    """The browser of the npm package, unpacked beside it at the first use."""
    folder = PACKAGE / "unpacked"
    if not folder.exists():
        _unpack_to(folder)
    environ = {"LD_LIBRARY_PATH": str(folder / "lib"), "FONTCONFIG_FILE": str(folder / "fonts.conf")}
    return Chromium(str(folder / "chromium"), environ)


def _unpack_to(folder: Path) -> None:
    # Made aside and moved: two test processes may do this at once.
    aside = Path(tempfile.mkdtemp(dir=PACKAGE, prefix="unpacking-"))
    _unbrotli("chromium.br", aside / "chromium")
    for name in ("fonts", "al2023"):
        packed = aside / f"{name}.tar"
        _unbrotli(f"{name}.tar.br", packed)
        with tarfile.open(packed) as archive:
            archive.extractall(aside, filter="data")
        packed.unlink()
    (aside / "fonts.conf").write_text(FONTS.format(folder=folder))
    try:
        aside.rename(folder)
    except OSError:
        shutil.rmtree(aside)


def _unbrotli(name: str, target: Path) -> None:
    script = ROOT / "scripts" / "unbrotli.mjs"
    subprocess.run(["node", str(script), str(PACKAGE / "bin" / name), str(target)], check=True)
