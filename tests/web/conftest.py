"""A real browser for the tests of the pages."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.web.browsing import Visitor, visiting
from tests.web.chromium import ARGUMENTS, HOW_TO_INSTALL, find_chromium

ASYNC_UNSAFE = "DJANGO_ALLOW_ASYNC_UNSAFE"


@pytest.fixture(scope="module")
def browser(live_server: str) -> Iterator[Browser]:
    """A headless Chromium. Without one the tests fail where CI is set, and elsewhere say loudly what is missing.

    While it runs, playwright keeps an event loop in this thread, in which Django refuses to read the database
    unless told; hence one browser for each module rather than for the session. The live server is started first:
    it must not inherit that leave.
    """
    found = find_chromium()
    if found is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(HOW_TO_INSTALL)
    with sync_playwright() as playwright, pytest.MonkeyPatch.context() as patch:
        environ: dict[str, str | float | bool] = {**os.environ, **found.environ}
        browser = playwright.chromium.launch(executable_path=found.program, args=list(ARGUMENTS), env=environ)
        patch.setenv(ASYNC_UNSAFE, "1")
        yield browser
        browser.close()


@pytest.fixture
def visitor(browser: Browser, live_server: str) -> Iterator[Visitor]:
    """Someone at a window of ordinary size, on the run's live server."""
    with visiting(browser, live_server, viewport={"width": 1280, "height": 800}) as visitor:
        yield visitor
