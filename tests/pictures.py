"""The pictures of the README, from the sample: `make pictures`.

Look at them before they are committed. The sample ends today, so that they differ from those of another day.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.cli.conftest import ROOT, Instance, said
from tests.web.chromium import ARGUMENTS, HOW_TO_INSTALL, find_chromium

IMAGES = ROOT / "docs" / "images"
PICTURES = (("overview", "", 1280, 735), ("metric", "/-/metrics/change_fail_rate", 1000, 1360))
"""Name, page of the sample's entity, width and height in pixels."""


def main() -> None:
    """Make the sample in a folder of its own, and take them."""
    chromium = find_chromium()
    if chromium is None:
        raise SystemExit(HOW_TO_INSTALL)
    environ: dict[str, str | float | bool] = {**os.environ, **chromium.environ}
    with tempfile.TemporaryDirectory() as folder, Instance(Path(folder) / "data").process("demo") as process:
        welcome = said(process, "The data stays in")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium.program, args=list(ARGUMENTS), env=environ)
            page = browser.new_page()
            _take(page, welcome)
            browser.close()


def _take(page: Page, welcome: str) -> None:
    page.goto(re.findall(r"http\S+/login/\S+", welcome)[0])
    page.get_by_role("main").get_by_role("button").click()
    place = re.findall(r"http\S+/entities/\S+", welcome)[0]
    for name, path, width, height in PICTURES:
        page.set_viewport_size({"width": width, "height": height})
        page.goto(place + path)
        page.screenshot(path=IMAGES / f"{name}.png")
        print(f"docs/images/{name}.png")


if __name__ == "__main__":
    main()
