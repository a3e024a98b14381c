"""A fresh instance: set up by the link that the server prints, and by nothing else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.serving import SOURCE
from tests.web.browsing import visiting
from tests.web.conftest import ASYNC_UNSAFE

pytestmark = pytest.mark.browser

LINK = re.compile(r"(http://[0-9.:]+)(/setup/\S+)")


@contextmanager
def a_fresh_instance(data: Path) -> Iterator[tuple[str, str]]:
    """Its address, and the path that its output says to set it up at. On SQLite, whatever the run is on."""
    command = [sys.executable, "-m", "shipmend", "serve", "--port", "0", "--data", str(data)]
    environ = {**os.environ, "PYTHONPATH": str(SOURCE), "PYTHONUNBUFFERED": "1", "DATABASE_URL": ""}
    environ.pop(ASYNC_UNSAFE, None)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as process:
        assert process.stdout
        try:
            found = next(link for link in map(LINK.search, process.stdout) if link)
            yield found.group(1), found.group(2)
        finally:
            process.terminate()


def test_the_first_person_sets_up_with_the_printed_link_and_nobody_after_them(browser: Browser, tmp_path: Path) -> None:
    with a_fresh_instance(tmp_path) as (origin, link), visiting(browser, origin) as visitor:
        page = visitor.page
        visitor.open("/")
        expect(page.get_by_role("heading", name="Set up Shipmend")).to_be_visible()
        expect(page.locator("main")).to_contain_text(f"{origin}/setup/")
        visitor.open(link)
        page.get_by_label("Your mail address").fill("ann@example.org")
        page.get_by_label("Password").fill("short")
        page.get_by_label("Entity").fill("acme corp")
        page.get_by_label("Time zone").fill("Europe/Berlin")
        page.get_by_role("button", name="Set up").click()
        expect(page.locator(".wrong")).to_contain_text("Is too weak")
        page.get_by_label("Password").fill("correct horse battery")
        page.get_by_role("button", name="Set up").click()
        expect(page.locator(".wrong")).to_contain_text('"acme corp" can\'t name an entity')
        visitor.complaints.clear()  # the browser notes the two 400s
        page.get_by_label("Password").fill("correct horse battery")
        page.get_by_label("Entity").fill("acme")
        page.get_by_role("button", name="Set up").click()
        expect(page).to_have_url(f"{origin}/settings/acme/repos")
        visitor.open("/settings/acme/members")
        expect(page.get_by_role("row", name="ann@example.org").get_by_label("Role of")).to_have_value("owner")
        visitor.open("/settings/acme")
        expect(page.get_by_label("Time zone")).to_have_value("Europe/Berlin")

        page.goto(origin + link)
        expect(page.get_by_role("heading", name="Nothing here")).to_be_visible()
        visitor.complaints.clear()  # the browser notes the 404


def test_a_guessed_link_sets_nothing_up(browser: Browser, tmp_path: Path) -> None:
    with a_fresh_instance(tmp_path) as (origin, _), visiting(browser, origin) as visitor:
        visitor.open("/setup/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
        expect(visitor.page.get_by_role("heading", name="Nothing here")).to_be_visible()
        visitor.complaints.clear()  # the browser notes the 404
        visitor.open("/")
        expect(visitor.page.get_by_role("heading", name="Set up Shipmend")).to_be_visible()
