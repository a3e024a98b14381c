"""A page of a real browser that complains: about script errors, refused resources and breaches of the policy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page

AXE = (Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js").read_text

PASSWORD = "correct horse"


@dataclass
class Visitor:
    """Someone at a browser window."""

    page: Page
    origin: str
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        """Go to a page of the instance."""
        self.page.goto(self.origin + path)

    def sign_in(self, email: str, then: str = "/") -> None:
        """Sign in by the form, on the way to a page."""
        self.open(f"/sign-in?next={then}")
        self.page.get_by_label("Mail address").fill(email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(lambda url: "/sign-in" not in url)

    def path(self) -> str:
        """Where the window is."""
        return self.page.url.removeprefix(self.origin)

    def overflow(self) -> int:
        """Pixels by which the page is wider than the window."""
        width: int = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        return width

    def faults(self) -> list[str]:
        """Serious and critical faults of accessibility that axe finds."""
        self.page.evaluate(AXE())
        found: dict[str, Any] = self.page.evaluate("axe.run({resultTypes: ['violations']})")
        serious = [fault for fault in found["violations"] if fault["impact"] in ("serious", "critical")]
        return [f"{fault['id']}: {fault['nodes'][0]['html']} ({fault['help']})" for fault in serious]

    def note(self, message: ConsoleMessage) -> None:
        """Keep what the browser's console warns of."""
        if message.type in ("error", "warning"):
            self.complaints.append(f"{self.path()}: {message.text}")


@contextmanager
def visiting(browser: Browser, origin: str, **options: Any) -> Iterator[Visitor]:
    """A fresh window, as playwright's new_context takes `options`. It must give no cause for complaint."""
    context = browser.new_context(**options)
    page = context.new_page()
    page.set_default_timeout(15_000)
    visitor = Visitor(page, origin)
    page.on("console", visitor.note)
    page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
    try:
        yield visitor
        assert visitor.complaints == []
    finally:
        context.close()
