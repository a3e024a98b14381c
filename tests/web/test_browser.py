"""The pages in a real browser: what a person does, with and without script."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from shipmend.audit.trail import COMMAND_LINE
from shipmend.catalog.actions import ensure_repo
from shipmend.core.values import Role
from shipmend.git.remotes import parse_remote
from tests.gitworld import GitRepo
from tests.web.browsing import PASSWORD, Visitor, visiting
from tests.world import World

pytestmark = [pytest.mark.browser, pytest.mark.database]

WIDTHS = (320, 400, 600, 704, 720, 768, 900, 1024, 1088, 1280, 2000)


@pytest.fixture
def plain(browser: Browser, live_server: str) -> Iterator[Visitor]:
    """Someone whose browser runs no script."""
    with visiting(browser, live_server, java_script_enabled=False) as visitor:
        yield visitor


def run(call: str) -> str:
    """What a call copied from a page prints in a shell."""
    done = subprocess.run(["bash", "-c", call], capture_output=True, text=True, timeout=30, check=True)
    return done.stdout


def make_token(visitor: Visitor, world: World, name: str) -> None:
    visitor.open(f"/settings/{world.tenant.slug}/api")
    visitor.page.get_by_label("Name").fill(name)
    visitor.page.get_by_role("button", name="Make the token").click()
    expect(visitor.page.locator("#token")).to_have_text(re.compile("^shipmend_api_"))


def text_of(page: Page, selector: str) -> str:
    return page.locator(selector).inner_text()


def test_a_person_signs_in_looks_around_and_signs_out(world: World, visitor: Visitor) -> None:
    user = world.user(Role.OWNER)
    visitor.open(f"/entities/{world.tenant.slug}")
    expect(visitor.page.get_by_role("heading", name="Sign in")).to_be_visible()
    visitor.page.get_by_label("Mail address").fill(user.email)
    visitor.page.get_by_label("Password").fill(PASSWORD)
    visitor.page.keyboard.press("Enter")
    expect(visitor.page).to_have_url(f"{visitor.origin}/entities/{world.tenant.slug}")
    visitor.page.get_by_role("link", name="Add a repo").first.click()
    expect(visitor.page.get_by_role("heading", name="Repos", exact=True)).to_be_visible()
    visitor.page.get_by_role("button", name="Sign out").click()
    expect(visitor.page).to_have_url(f"{visitor.origin}/sign-in")


def test_a_token_is_made_copied_used_seen_and_revoked(world: World, visitor: Visitor) -> None:
    visitor.sign_in(world.user(Role.MEMBER).email)
    visitor.page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=visitor.origin)
    make_token(visitor, world, "CI")
    token = text_of(visitor.page, "#token")
    visitor.page.locator("[data-copy=token]").click()
    expect(visitor.page.locator("[data-copy=token]")).to_have_text("Copied")
    assert visitor.page.evaluate("navigator.clipboard.readText()") == token
    visitor.page.locator("[data-copy=check-call]").click()
    call = visitor.page.evaluate("navigator.clipboard.readText()")
    assert '"response_em": "response_success"' in run(call)

    visitor.open(f"/settings/{world.tenant.slug}/api")
    seen = visitor.page.locator("section", has=visitor.page.get_by_role("heading", name="Latest calls"))
    for _ in range(100):  # the log is written about a second after the answer
        if "No call has been made" not in seen.inner_text():
            break
        visitor.page.reload()
    expect(seen).to_contain_text("GET /api/v1/api_tokens")
    expect(seen).to_contain_text("200")
    expect(visitor.page.locator("#token")).to_have_count(0)

    visitor.page.get_by_text("Revoke", exact=True).click()
    visitor.page.get_by_role("button", name="Revoke “CI”").click()
    expect(visitor.page.get_by_role("status")).to_contain_text("Revoked")
    assert '"response_em": "response_unauthorized"' in run(call)


def test_what_a_call_from_the_page_records_stands_on_the_page(
    world: World, visitor: Visitor, git_repo: GitRepo
) -> None:
    git_repo.commit("Start", at="2024-01-01T10:00:00Z")
    repo = world.repo("shop", git_repo)
    visitor.sign_in(world.user(Role.MEMBER).email)
    make_token(visitor, world, "CI")
    token = text_of(visitor.page, "#token")
    visitor.open(f"/entities/{repo.path}")
    release, defect = (text_of(visitor.page, f"#{name}-call") for name in ("release", "defect"))
    exported = f"cd {git_repo.path}; export SHIPMEND_TOKEN={token}; "
    assert "response_success" in run(exported + release)
    assert "response_success" in run(exported + defect)
    visitor.page.reload()
    expect(visitor.page.locator("#releases")).to_contain_text("baseline")
    expect(visitor.page.locator("#open")).to_contain_text("OUTAGE-1")
    visitor.page.get_by_role("link", name="OUTAGE-1").click()
    assert "response_success" in run(exported + text_of(visitor.page, "#fix-call"))
    visitor.page.reload()
    expect(visitor.page.get_by_role("heading", name="OUTAGE-1")).to_be_visible()
    expect(visitor.page.locator(".head")).to_contain_text("resolved")


def test_a_repo_is_added_and_what_is_wrong_with_its_address_is_said_at_the_field(
    world: World, visitor: Visitor
) -> None:
    visitor.sign_in(world.user(Role.MEMBER).email, f"/settings/{world.tenant.slug}/repos")
    page = visitor.page
    page.get_by_label("Path").fill(f"{world.tenant.slug}/acme/shop")
    page.get_by_label("Git address").fill("/srv/git/shop.git")
    page.get_by_role("button", name="Add").click()
    address = page.get_by_label("Git address")
    expect(address).to_have_attribute("aria-invalid", "true")
    described = address.get_attribute("aria-describedby") or ""
    assert "The address" in text_of(page, f"#{described.split()[-1]}") + text_of(page, f"#{described.split()[0]}")
    visitor.complaints.clear()  # the browser notes the 400 of the refused form
    address.fill("")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("row", name="acme/shop")).to_contain_text("no remote")


@pytest.mark.usefixtures("worker")
def test_a_rule_is_seen_while_it_is_typed_then_set_and_deleted(
    world: World, visitor: Visitor, git_repo: GitRepo
) -> None:
    git_repo.commit("Start")
    git_repo.tag("v1.0")
    world.repo("shop", git_repo)
    visitor.sign_in(world.user(Role.MEMBER).email, f"/settings/{world.tenant.slug}/releases")
    page = visitor.page
    page.evaluate("window.sameDocument = true")
    page.get_by_label("A release is").select_option("tag_matches")
    page.get_by_label("Text, pattern or branch").press_sequentially("^v(")
    expect(page.locator("#preview")).to_contain_text("a ( is not closed")
    page.get_by_label("Text, pattern or branch").fill(r"^v\d")
    expect(page.locator("#preview")).to_contain_text("It matches 1 tag in 1 repo")
    assert page.evaluate("window.sameDocument")
    page.get_by_role("button", name="Set this rule and make 1 release").click()
    expect(page.get_by_role("status")).to_contain_text("is set")
    row = page.locator("tr", has_text="tag matches")
    expect(row).to_be_visible()
    for _ in range(50):
        if row.locator("td.number").inner_text() == "1 in 1 repo":
            break
        page.wait_for_timeout(200)
        page.reload()
    expect(row.locator("td.number")).to_have_text("1 in 1 repo")
    row.locator("summary").click()
    page.get_by_role("button", name="Delete it, keep its releases").click()
    expect(page.get_by_role("status")).to_contain_text("what it made stays")


@pytest.mark.usefixtures("worker")
def test_an_index_that_runs_is_followed_without_a_reload(world: World, visitor: Visitor, git_repo: GitRepo) -> None:
    for n in range(3):
        git_repo.commit(f"Change {n}")
    remote = parse_remote(git_repo.url, allow_local=True)
    repo = ensure_repo(path=world.repo_path("shop"), remote=remote, actor=COMMAND_LINE)
    visitor.sign_in(world.user(Role.MEMBER).email, f"/settings/{world.tenant.slug}/repos/acme/shop")
    expect(visitor.page.locator(".index")).to_contain_text("waiting for its first index")
    visitor.page.get_by_role("button", name="Index again").click()
    expect(visitor.page).to_have_url(f"{visitor.origin}/entities/{repo.path}")
    visitor.page.evaluate("window.sameDocument = true")
    expect(visitor.page.locator(".index")).to_contain_text("3 commits", timeout=30_000)
    assert visitor.page.evaluate("window.sameDocument")
    expect(visitor.page.locator("[data-hx-trigger]")).to_have_count(0)


def test_everything_can_be_done_without_script(world: World, plain: Visitor) -> None:
    plain.sign_in(world.user(Role.OWNER).email, f"/settings/{world.tenant.slug}/repos")
    page = plain.page
    page.get_by_label("Path").fill(f"{world.tenant.slug}/acme/shop")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("link", name="acme/shop")).to_be_visible()
    make_token(plain, world, "CI")
    assert "response_success" in run(text_of(page, "#check-call"))
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    plain.open(f"/settings/{world.tenant.slug}/api")
    page.get_by_text("Rotate", exact=True).click()
    page.get_by_role("button", name="Rotate “CI”").click()
    expect(page.locator("#token")).to_be_visible()
    plain.open(f"/entities/{world.tenant.slug}/-/defects")
    page.get_by_label("State", exact=True).select_option("open")
    page.get_by_role("button", name="Filter").click()
    assert "state=open" in plain.path()
    plain.open(f"/settings/{world.tenant.slug}/releases")
    page.get_by_label("A release is").select_option("commit_on_branch")
    page.get_by_role("button", name="Preview").click()
    assert "preview=1" in plain.path()
    page.get_by_role("button", name="Set this rule").click()
    expect(page.get_by_role("status")).to_contain_text("commit on the release branch")
    plain.open(f"/settings/{world.tenant.slug}/repos/acme/shop/remove")
    page.get_by_role("button", name=re.compile("^Remove")).click()
    expect(page.get_by_role("status")).to_contain_text("is removed")


def furnished(world: World) -> list[str]:
    """A world with something of everything, with long words in it, and the addresses of all its pages."""
    world.repo()
    world.repo("a-repo-with-a-rather-long-name-" + "x" * 60)
    api, shop, slug = world.api(), str(world.repo_path("shop")), world.tenant.slug
    key = "KEY-" + "LONG" * 30
    api.post("critical_defects", resource_path=shop, defect_key=key, detected_now="true", description="word " * 60)
    api.post(
        "critical_defects", resource_path=shop, defect_key="D-1", detected_at="2024-01-01", fix_released_now="true"
    )
    made = api.post("releases", resource_path=shop, name="v" * 120, release_sha="ab" * 20, release_now="true")
    api.post("releases", resource_path=shop, release_sha="cd" * 20, released_at="2024-01-01", environment="staging")
    api.post("releases", resource_path=shop, released_at="03/04/2021", release_sha="cd" * 20)
    entity, settings = f"/entities/{slug}", f"/settings/{slug}"
    return [
        entity,
        f"{entity}?environment=staging&start_date=2024-01-01",
        f"{entity}/-/releases?environment=staging&start_date=2024-01-01",
        f"{entity}/-/defects?state=open",
        f"{entity}/acme",
        f"{entity}/acme/shop",
        f"{entity}/acme/shop/releases/{made.json['release']['id']}",
        f"{entity}/-/defects/{key}",
        f"{entity}/-/defects/D-1",
        settings,
        f"{settings}/members",
        f"{settings}/repos",
        f"{settings}/repos/acme/shop",
        f"{settings}/repos/acme/shop/remove",
        f"{settings}/releases",
        f"{settings}/releases?preview=1&kind=commit_on_branch&value=&repo=&environment=production",
        f"{settings}/releases?preview=1&kind=tag_matches&value=%28&repo=&environment=production",
        f"{settings}/api",
        "/account",
        "/api_reference",
        "/metrics_reference",
    ]


OUTSIDE = ("/sign-in", "/setup")


def test_no_page_is_wider_than_its_window(world: World, browser: Browser, live_server: str) -> None:
    pages, user = furnished(world), world.user(Role.OWNER)
    with visiting(browser, live_server) as visitor:
        visitor.sign_in(user.email)
        for path in (*pages, *OUTSIDE):
            visitor.open(path)
            for width in WIDTHS:
                visitor.page.set_viewport_size({"width": width, "height": 700})
                assert visitor.overflow() <= 0, f"{path} at {width} px"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_no_page_has_a_serious_fault_of_accessibility(
    world: World, browser: Browser, live_server: str, scheme: str, width: int
) -> None:
    pages, user = furnished(world), world.user(Role.OWNER)
    with visiting(browser, live_server, color_scheme=scheme, viewport={"width": width, "height": 800}) as visitor:
        for path in OUTSIDE:
            visitor.open(path)
            assert visitor.faults() == [], path
        visitor.sign_in(user.email)
        for path in pages:
            visitor.open(path)
            assert visitor.faults() == [], path


def test_the_pages_are_dark_where_the_reader_likes_it_dark(browser: Browser, live_server: str) -> None:
    brightness = {}
    for scheme in ("light", "dark"):
        with visiting(browser, live_server, color_scheme=scheme) as visitor:
            visitor.open("/sign-in")
            color = visitor.page.evaluate("getComputedStyle(document.body).backgroundColor")
            brightness[scheme] = sum(map(int, re.findall(r"\d+", color)[:3])) / 3
            assert visitor.page.screenshot()
    assert brightness["dark"] < 40
    assert brightness["light"] > 230


def test_the_policy_stops_what_is_inline(browser: Browser, live_server: str) -> None:
    """Proof that a breach would be seen by the other tests: this one commits it."""
    with visiting(browser, live_server) as visitor:
        visitor.open("/sign-in")
        visitor.page.evaluate("document.body.insertAdjacentHTML('beforeend', '<b style=\"color: red\">x</b>')")
        visitor.page.wait_for_timeout(50)
        assert any("Content Security Policy" in text for text in visitor.complaints)
        visitor.complaints.clear()
