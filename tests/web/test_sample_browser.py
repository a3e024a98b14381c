"""A newcomer asks the sample why change fail rate rose last month, and knows after three clicks."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from shipmend.accounts import people
from shipmend.audit.trail import COMMAND_LINE
from shipmend.core.values import Role
from tests.demo.sample import Sample
from tests.web.browsing import PASSWORD, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.database]

MONTH = "start_date=2026-10-27&end_date=2026-11-25"


def test_why_change_fail_rate_rose_is_known_after_three_clicks(sample: Sample, visitor: Visitor) -> None:
    user = people.create_user(email="newcomer@larder.example", password=PASSWORD)
    people.set_role(tenant=sample.tenant, email=user.email, role=Role.VIEWER, actor=COMMAND_LINE)
    visitor.sign_in(user.email)
    page = visitor.page
    visitor.open(f"/entities/{sample.tenant.slug}?{MONTH}")
    number = page.get_by_role("heading", name="Change fail rate").locator("..")
    expect(number).to_contain_text("worse")

    page.get_by_role("link", name="Change fail rate").first.click()
    failed = page.get_by_role("row").filter(has_text="shop/checkout").filter(has_text="caused")
    expect(failed).to_have_count(2)
    expect(failed.filter(has_text="undone by")).to_have_count(1)

    failed.filter(has_text="undone by").get_by_role("link").first.click()
    page.wait_for_url("**/releases/**")
    many = re.search(r"(\d+) commits", page.get_by_role("main").inner_text())
    assert many
    assert int(many[1]) > 40

    page.get_by_role("link", name="INC-24").first.click()
    expect(page.get_by_role("main")).to_contain_text("had waited for two weeks")
