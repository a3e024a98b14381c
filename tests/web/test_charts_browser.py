"""The overview and the pages of metrics in a real browser: pictures, their values, zoom, weight, width, faults."""

from __future__ import annotations

import gzip
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from playwright.sync_api import Browser, expect

from shipmend.core.metrics import Metric
from shipmend.core.values import Role
from tests.web.browsing import Visitor, visiting
from tests.world import World

pytestmark = [pytest.mark.browser, pytest.mark.database]

WIDTHS = (320, 400, 704, 720, 1024, 1088, 1280, 2000)
DAY = 86400
MOST_BYTES = 150_000
LAYOUT_SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => { for (const entry of list.getEntries()) window.shifted += entry.value; })
  .observe({ type: "layout-shift", buffered: true });
"""


@dataclass(frozen=True)
class Place:
    """What the tests look at."""

    world: World
    email: str

    @property
    def overview(self) -> str:
        """Its address."""
        return f"/entities/{self.world.path}"

    def metric(self, metric: Metric) -> str:
        """The address of a metric's page."""
        return f"{self.overview}/-/metrics/{metric}"

    @property
    def pages(self) -> list[str]:
        """All of them."""
        return [
            self.overview,
            f"{self.overview}/acme",
            f"{self.overview}/acme/shop?days=7&interval=daily",
            f"{self.overview}?days=365&interval=hourly",
            f"{self.overview}/-/releases",
            f"{self.overview}/-/defects",
            *(self.metric(metric) for metric in Metric),
            f"{self.metric(Metric.RECOVERY_TIME)}?by=severity&severity=1&show=all",
        ]


@pytest.fixture
def place(world: World) -> Place:
    """Three weeks of two repos, one of a long name, with one of everything that a timeline draws."""
    long = "till-" + "x" * 60
    now = int(time.time())
    for slug in ("shop", long):
        world.repo(slug)
    api = world.api()

    def release(slug: str, days: float, **more: str) -> None:
        at = int(now - days * DAY)
        form = {"resource_path": str(world.repo_path(slug)), "released_at": at, "release_sha": f"{at:040x}", **more}
        assert api.post("releases", form).status == 200

    def defect(slug: str, key: str, days: float, **more: object) -> None:
        path = str(world.repo_path(slug))
        form = {"resource_path": path, "defect_key": key, "detected_at": int(now - days * DAY), **more}
        assert api.post("critical_defects", form).status == 200

    for n in range(20, 0, -1):
        release("shop", n, name=f"v{20 - n}")
    release("shop", 4.5, name="failed", status="failed")
    release("shop", 3.5, name="cancelled", status="cancelled")
    release(long, 12, name="only", environment="staging")
    release(long, 11, name="live")
    defect("shop", "MENDED", 9.9, severity=1, fix_released_at=int(now - 8 * DAY))
    defect("shop", "OPEN-" + "Y" * 80, 5.9, severity=2, description="word " * 40)
    defect(long, "ELSEWHERE", 10)
    return Place(world, world.user(Role.VIEWER).email)


@pytest.fixture
def reader(browser: Browser, live_server: str, place: Place) -> Iterator[Visitor]:
    """Someone signed in at the overview."""
    with visiting(browser, live_server, viewport={"width": 1280, "height": 900}) as visitor:
        visitor.sign_in(place.email, place.overview)
        yield visitor


def test_a_value_is_said_under_the_pointer_and_to_the_keyboard(reader: Visitor) -> None:
    figure = reader.page.locator("#releases-chart")
    said = figure.locator(".say")
    expect(said).to_have_text(re.compile(r"^\d+ counted$"))
    figure.locator("[data-say]").nth(2).hover()
    expect(said).to_have_text(re.compile(r"^\d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d: \d+ "))
    reader.page.mouse.move(0, 0)
    expect(said).to_have_text(re.compile(r"^\d+ counted$"))
    plot = reader.page.locator("#timeline [data-plot]")
    plot.focus()
    for _ in range(2):
        reader.page.keyboard.press("ArrowRight")
    expect(reader.page.locator("#timeline .say")).to_have_text(
        reader.page.locator("#timeline [data-say]").nth(1).get_attribute("data-say") or ""
    )
    reader.page.keyboard.press("Escape")
    expect(reader.page.locator("#timeline .say")).to_contain_text("releases, 3 defects")


def test_a_mark_of_the_timeline_leads_to_its_page(reader: Visitor) -> None:
    mark = reader.page.locator("#timeline [data-say^='MENDED']")
    mark.click()
    reader.page.wait_for_url(re.compile("/-/defects/MENDED$"))


def test_dragging_over_days_zooms_to_them_and_back_undoes_it(reader: Visitor, place: Place) -> None:
    chart = reader.page.locator("#timeline svg.chart")
    box = chart.bounding_box()
    assert box
    first = date.fromisoformat(chart.get_attribute("data-first") or "")
    x = [box["x"] + box["width"] * (n + 0.5) / 30 for n in (10, 19)]
    reader.page.mouse.move(x[1], box["y"] + 8)
    reader.page.mouse.down()
    reader.page.mouse.move(x[0], box["y"] + 8, steps=5)
    expect(reader.page.locator("#timeline .say")).to_have_text(
        f"{first + timedelta(days=10)} to {first + timedelta(days=19)}"
    )
    reader.page.mouse.up()
    reader.page.wait_for_url(re.compile("start_date"))
    wanted = f"start_date={first + timedelta(days=10)}&end_date={first + timedelta(days=19)}"
    assert reader.path() == f"{place.overview}?{wanted}"
    expect(reader.page.get_by_label("From")).to_have_value(str(first + timedelta(days=10)))
    reader.page.get_by_role("link", name="Zoom out").click()
    reader.page.wait_for_url(re.compile(f"start_date={first}&"))
    reader.page.go_back()
    reader.page.go_back()
    assert reader.path() == place.overview


def test_three_clicks_lead_from_the_overview_to_why_the_change_fail_rate_rose(reader: Visitor) -> None:
    page = reader.page
    page.get_by_role("link", name="Change fail rate").click()
    page.locator("#by").get_by_role("link", name="acme/shop").click()
    rows = page.locator("#rows tbody tr")
    expect(rows.first).to_contain_text("caused OPEN-")
    expect(rows.last).to_contain_text("caused MENDED")
    rows.last.get_by_role("link", name="MENDED").click()
    expect(page.get_by_role("heading", name="MENDED")).to_be_visible()


def test_without_script_there_are_pictures_tables_and_windows(browser: Browser, live_server: str, place: Place) -> None:
    with visiting(browser, live_server, java_script_enabled=False) as visitor:
        visitor.sign_in(place.email, place.overview)
        page = visitor.page
        expect(page.get_by_role("img", name="Releases and defects")).to_be_visible()
        page.locator("#timeline summary").click()
        expect(page.locator("#timeline table")).to_contain_text("MENDED, detected")
        page.get_by_role("link", name="7 days").click()
        assert visitor.path() == f"{place.overview}?days=7"
        page.get_by_label("From").fill("2026-01-01")
        page.get_by_label("To", exact=True).fill("2026-01-31")
        page.get_by_role("button", name="Show").click()
        assert "start_date=2026-01-01&end_date=2026-01-31" in visitor.path()
        expect(page.locator(".days")).to_contain_text("1 Jan 2026 to 31 Jan 2026")


def test_no_page_is_wider_than_its_window_and_no_picture_leaves_it(
    browser: Browser, live_server: str, place: Place
) -> None:
    with visiting(browser, live_server) as visitor:
        visitor.sign_in(place.email)
        for path in place.pages:
            visitor.open(path)
            for width in WIDTHS:
                visitor.page.set_viewport_size({"width": width, "height": 700})
                assert visitor.overflow() <= 0, f"{path} at {width} px"
        visitor.open(place.overview)
        visitor.page.set_viewport_size({"width": 320, "height": 700})
        sizes = visitor.page.evaluate(
            "[...document.querySelectorAll('.chart text')].map((each) => each.getBoundingClientRect().height)"
        )
        assert min(sizes) >= 11


@pytest.mark.parametrize(
    "options",
    [
        {"color_scheme": "light", "viewport": {"width": 1280, "height": 800}},
        {"color_scheme": "dark", "viewport": {"width": 1280, "height": 800}},
        {"color_scheme": "light", "viewport": {"width": 320, "height": 800}},
    ],
)
def test_no_page_has_a_serious_fault_of_accessibility(
    browser: Browser, live_server: str, place: Place, options: dict[str, object]
) -> None:
    with visiting(browser, live_server, **options) as visitor:
        visitor.sign_in(place.email)
        for path in place.pages:
            visitor.open(path)
            for summary in visitor.page.locator(".numbers summary").all():
                summary.click()
            assert visitor.faults() == [], path


def test_a_page_is_light_and_nothing_moves_while_it_loads(browser: Browser, live_server: str, place: Place) -> None:
    with visiting(browser, live_server, viewport={"width": 1280, "height": 900}) as visitor:
        visitor.sign_in(place.email)
        visitor.page.add_init_script(LAYOUT_SHIFTS)
        seen: set[str] = set()
        visitor.page.on("response", lambda response: seen.add(response.url))
        for path in (place.overview, place.metric(Metric.CHANGE_FAIL_RATE)):
            visitor.open(path)
            visitor.page.wait_for_load_state("networkidle")
            assert visitor.page.evaluate("window.shifted") == 0, path
            assert visitor.origin + path in seen
            weights = {url: len(gzip.compress(visitor.page.request.get(url).body())) for url in seen}
            assert sum(weights.values()) <= MOST_BYTES, weights
            seen.clear()
