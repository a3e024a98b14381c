"""What changed, in a real browser: the lines arrive by themselves, and no page breaks its window."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Browser, expect

from shipmend.core.values import Role
from shipmend.db.writes import write
from shipmend.delivery.models import ReleaseDiff
from tests.delivery.shop import Shop
from tests.gitworld import GitRepo
from tests.web.browsing import Visitor, visiting
from tests.world import World

pytestmark = [pytest.mark.browser, pytest.mark.database]

WIDTHS = (320, 400, 704, 720, 900, 1088, 1280, 2000)
PATIENCE = 60
LONG = "a-word-that-does-not-end-" * 6


@pytest.fixture
def line(git_repo: GitRepo) -> list[str]:
    """Commits with long words, in files that lie deep."""
    deep = "services/payments/internal/" + "x" * 60
    return [
        git_repo.commit(f"{LONG} {n}", author=(f"Ann {LONG}", "ann@example.com"), files={f"{deep}/{n}.py": "x\n" * n})
        for n in range(1, 5)
    ]


@pytest.fixture
def shop(world: World, git_repo: GitRepo, line: list[str]) -> Shop:
    return Shop(world, git_repo)


@pytest.mark.usefixtures("worker")
def test_the_lines_of_a_release_arrive_without_a_reload(shop: Shop, visitor: Visitor, line: list[str]) -> None:
    shop.release(line[0])
    release = shop.release(line[3])
    visitor.sign_in(shop.world.user(Role.VIEWER).email)
    visitor.open(f"/entities/{shop.path}/releases/{release}")
    counted = ReleaseDiff.objects.filter(entity_id=shop.tenant.id, release_id=release)
    until = time.monotonic() + PATIENCE
    while not counted.exists() and time.monotonic() < until:
        time.sleep(0.1)
    write(counted.delete)
    visitor.page.reload()
    visitor.page.evaluate("window.sameDocument = true")
    changes = visitor.page.locator("#changes")
    expect(changes).to_contain_text("lines are being counted")
    expect(changes).to_contain_text("9 lines inserted", timeout=PATIENCE * 1000)
    assert visitor.page.evaluate("window.sameDocument")
    expect(visitor.page.locator("[data-hx-trigger]")).to_have_count(0)


def test_a_reader_without_script_finds_all_of_it(
    shop: Shop, browser: Browser, live_server: str, line: list[str]
) -> None:
    first, second = shop.release(line[0], name="v1"), shop.release(line[3], name="v2")
    with visiting(browser, live_server, java_script_enabled=False) as visitor:
        visitor.sign_in(shop.world.user(Role.VIEWER).email, f"/entities/{shop.path}/releases/{second}")
        page = visitor.page
        page.get_by_role("link", name="since v1").click()
        assert visitor.path().endswith("?view=ancestor#changes")
        expect(page.locator("#commits")).to_contain_text(line[2][:8])
        page.get_by_role("link", name="v1", exact=True).click()
        assert str(first) in visitor.path()
        visitor.open(f"/entities/{shop.path}")
        page.get_by_role("link", name="Compare two points").click()
        page.get_by_label("From").fill("main")
        page.get_by_label("To").fill(str(first))
        page.get_by_role("button", name="Compare").click()
        expect(page.locator("#changes")).to_contain_text("3 commits of main are not in v1.")
        page.get_by_role("link", name="Swap").click()
        expect(page.locator("#commits")).to_contain_text(line[3][:8])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_fit_their_window_and_have_no_serious_fault(
    shop: Shop, browser: Browser, live_server: str, line: list[str], scheme: str
) -> None:
    first, second = shop.release(line[0], name="v" * 100), shop.release(line[3], issue_keys_resolved="PAY-1,PAY-2")
    failed = shop.release(line[2], status="failed")
    shop.defect("KEY-" + "LONG" * 30, fix_released_sha=line[2], description=LONG)
    shop.measure()
    releases = f"/entities/{shop.path}/releases"
    compare = f"/entities/{shop.path}/compare"
    pages = [
        *(f"{releases}/{release}" for release in (first, second, failed)),
        f"{releases}/{second}?view=ancestor",
        compare,
        f"{compare}?from={first}&to=main",
        f"{compare}?from={second}&to={first}",
    ]
    with visiting(browser, live_server, color_scheme=scheme) as visitor:
        visitor.sign_in(shop.world.user(Role.VIEWER).email)
        for path in pages:
            visitor.open(path)
            for width in WIDTHS:
                visitor.page.set_viewport_size({"width": width, "height": 700})
                assert visitor.overflow() <= 0, f"{path} at {width} px"
                if width in (320, 1280):
                    assert visitor.faults() == [], f"{path} at {width} px"
