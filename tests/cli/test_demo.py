"""`shipmend demo`: a sample to look at, in one command, twice with the same result."""

from __future__ import annotations

import re

import pytest

from tests.cli.conftest import Instance, said, status
from tests.cli.test_trial import END, Trial, paste

pytestmark = pytest.mark.database


def test_the_sample_is_made_once_and_its_calls_work_when_pasted(own: Instance) -> None:
    made = own.does("demo", "--no-serve")
    assert "larder/shop/checkout: " in made
    with own.process("demo") as process:
        again = Trial(said(process, END))
        assert "reported" not in again.text
        check, release = again.calls
        assert paste(check)["action_em"] == "action_get_resource"
        assert paste(release)["action_em"] == "action_release_created"
        assert again.releases("larder/shop/checkout")
        assert f"{again.address}/entities/larder\n" in again.text
        assert status(re.findall(r"http\S+/login/\S+", again.text)[0]) == 200
    refused = own.run("demo", "--no-serve", "--seed", "2")
    assert refused.refusal.startswith('--seed "2" is not that of the sample')


def test_an_entity_of_that_name_that_no_sample_made_is_left_alone(own: Instance) -> None:
    own.does("user", "create", "ada@example.org", "--owner-of", "larder", "--password-stdin", stdin="correct horse\n")
    assert "that no sample made" in own.run("demo", "--no-serve").refusal
