"""Looking something up, following what waits, and trying a pattern, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from shipmend.core.moments import iso
from shipmend.core.values import Role
from tests.gitworld import GitRepo
from tests.web.browsing import Visitor, visiting
from tests.web.test_browser import WIDTHS
from tests.world import FIRST_DAY, World

pytestmark = [pytest.mark.browser, pytest.mark.database]

LONG = "W" * 90


@pytest.fixture
def shop(world: World, git_repo: GitRepo) -> str:
    """The path of a repo with one commit live, one waiting, and long words in all of it."""
    first = git_repo.commit("SHOP-1: mend the till", at=FIRST_DAY)
    git_repo.commit(f"SHOP-1, TILL-{'9' * 7}: {LONG}\n\nLONGLONGLO-1234567", at=FIRST_DAY + 60)
    git_repo.commit("Nothing in particular", at=FIRST_DAY + 120, branch="topic")
    git_repo.merge("topic", at=FIRST_DAY + 180)
    path = str(world.repo("shop", git_repo).path)
    world.repo("a-repo-with-a-rather-long-name-" + "x" * 60, git_repo)
    for name, environment in (("v1", "production"), (LONG, f"staging-{'y' * 60}")):
        call = {"resource_path": path, "release_sha": first, "released_at": iso(FIRST_DAY + 999), "name": name}
        reply = world.api().post("releases", call, environment=environment, issue_keys_resolved=f"BANANA-1,{LONG}")
        assert reply.status == 200
    return path


@pytest.fixture
def places(world: World, git_repo: GitRepo, shop: str) -> str:
    """The same, and beside it a repo that can't be looked at."""
    world.astray(git_repo, branch=LONG)
    return shop


def pages(world: World, shop: str) -> list[str]:
    entity, settings = f"/entities/{world.tenant.slug}", f"/settings/{world.tenant.slug}"
    return [
        "/live",
        f"/live?q=SHOP-1&resource_path={world.tenant.slug}",
        f"/live?q={LONG}",
        f"/live?q=no{LONG}",
        f"{entity}/-/tickets/SHOP-1",
        f"{entity}/-/tickets/{LONG}",
        f"{entity}/-/waiting",
        f"{entity}/acme/-/waiting",
        f"/entities/{shop}/waiting?environment=staging-{'y' * 60}",
        f"{entity}/acme/astray/waiting",
        f"/entities/{shop}",
        f"{settings}/tickets",
        f"{settings}/tickets?preview=1&ticket_pattern={'x' * 150}",
        f"{settings}/tickets?preview=1&ticket_pattern=%28{'x' * 150}",
        settings,
    ]


def test_a_ticket_is_looked_up_from_any_page_and_followed_to_its_release(
    world: World, visitor: Visitor, shop: str
) -> None:
    visitor.sign_in(world.user(Role.VIEWER).email, f"/entities/{shop}")
    page = visitor.page
    expect(page.locator(".waits")).to_have_text("2 commits wait for release")
    page.get_by_role("searchbox").fill("shop-1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Ticket SHOP-1")).to_be_visible()
    expect(page.get_by_role("row", name="acme/shop production")).to_contain_text("partly live")
    page.get_by_role("link", name="SHOP-1", exact=True).click()
    expect(page.get_by_role("row", name="mend the till").last).to_contain_text("v1 production")
    page.get_by_role("link", name="v1", exact=True).first.click()
    expect(page.locator("#changes")).to_contain_text("SHOP-1")
    visitor.open(f"/entities/{shop}")
    page.get_by_role("link", name="2 commits wait for release").click()
    expect(page.locator("#commits")).to_contain_text("Nothing in particular")


def test_a_pattern_is_tried_while_it_is_typed_and_then_set(world: World, visitor: Visitor, shop: str) -> None:
    visitor.sign_in(world.user(Role.OWNER).email, f"/settings/{world.tenant.slug}/tickets")
    preview = visitor.page.locator("#preview")
    expect(preview).to_contain_text("This is what is looked for now.")
    pattern = visitor.page.get_by_label("Keys look like")
    pattern.fill("TILL-[0-9]+")
    expect(preview.locator(".error")).to_contain_text("may go on for too long")
    pattern.fill("TILL-[0-9]{1,7}")
    expect(preview).to_contain_text("2 speak of 1 ticket")
    visitor.page.get_by_role("button", name="Look for this").click()
    expect(visitor.page.get_by_role("status")).to_contain_text("messages of all commits are being read")
    expect(pattern).to_have_value("TILL-[0-9]{1,7}")


def test_all_of_it_works_without_script(world: World, browser: Browser, live_server: str, shop: str) -> None:
    with visiting(browser, live_server, java_script_enabled=False) as plain:
        plain.sign_in(world.user(Role.OWNER).email, f"/entities/{shop}")
        plain.page.get_by_role("link", name="What waits for release").click()
        expect(plain.page.get_by_role("heading", name="Waiting for release")).to_be_visible()
        plain.page.get_by_label("Not released to").select_option("staging-" + "y" * 60)
        plain.page.get_by_role("button", name="Show").click()
        assert "environment=staging" in plain.path()
        plain.page.get_by_role("searchbox").fill("v1")
        plain.page.keyboard.press("Enter")
        expect(plain.page.get_by_role("heading", name="Release v1")).to_be_visible()
        plain.open(f"/settings/{world.tenant.slug}/tickets")
        plain.page.get_by_label("#123, too").check()
        plain.page.get_by_role("button", name="Preview").click()
        plain.page.get_by_role("button", name="Look for this").click()
        expect(plain.page.get_by_label("#123, too")).to_be_checked()


def test_none_of_these_pages_is_wider_than_its_window(
    world: World, browser: Browser, live_server: str, places: str
) -> None:
    with visiting(browser, live_server) as visitor:
        visitor.sign_in(world.user(Role.OWNER).email)
        for path in pages(world, places):
            visitor.open(path)
            for width in WIDTHS:
                visitor.page.set_viewport_size({"width": width, "height": 700})
                assert visitor.overflow() <= 0, f"{path} at {width} px"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_none_of_these_pages_has_a_serious_fault_of_accessibility(
    world: World, browser: Browser, live_server: str, places: str, scheme: str, width: int
) -> None:
    with visiting(browser, live_server, color_scheme=scheme, viewport={"width": width, "height": 800}) as visitor:
        visitor.sign_in(world.user(Role.OWNER).email)
        for path in pages(world, places):
            visitor.open(path)
            assert visitor.faults() == [], path
