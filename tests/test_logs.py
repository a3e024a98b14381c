"""The log: both forms, the request's id in them, and no token."""

from __future__ import annotations

import json
import logging
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipmend.core import tokens
from shipmend.core.errors import Unavailable
from shipmend.logs import Json, Lines, request_id
from tests.serving import serve

FORMS = [Lines("%(levelname)s %(message)s"), Json()]


def record(message: str, *words: object, error: BaseException | None = None) -> logging.LogRecord:
    exc_info = (type(error), error, None) if error else None
    return logging.LogRecord("shipmend.test", logging.WARNING, __file__, 1, message, words, exc_info)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("where", ["message", "words", "error", "told"])
def test_no_token_gets_into_the_log(form: logging.Formatter, where: str) -> None:
    token = tokens.mint()
    said = {
        "message": record(f"called with {token}!"),
        "words": record("called with %s!", f"Bearer {token}"),
        "error": record("broke", error=ValueError(f"at {token}")),
        "told": record("called"),
    }[where]
    if where == "told":
        said.told = {"path": f"/x/{token}"}
    text = form.format(said)
    assert token not in text
    assert token[-20:] not in text


def test_lines_tell_what_goes_with_a_message() -> None:
    said = record("GET /healthz")
    said.told = {"status": 200, "milliseconds": 1.5}
    assert FORMS[0].format(said) == "WARNING GET /healthz status=200 milliseconds=1.5"


@given(st.text(), st.text(max_size=20))
def test_json_is_one_line_that_can_be_read_whatever_is_said(message: str, value: str) -> None:
    said = record("%s", message)
    said.told = {"value": value}
    text = Json().format(said)
    assert "\n" not in text
    assert json.loads(text)["message"] == message
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", json.loads(text)["at"])


def test_the_request_is_named_in_both_forms() -> None:
    token = request_id.set("r-17")
    try:
        lines, machine = (form.format(record("done")) for form in FORMS)
    finally:
        request_id.reset(token)
    assert lines == "WARNING done [r-17]"
    assert json.loads(machine)["request_id"] == "r-17"


def test_a_traceback_stands_below_the_line_that_names_its_request() -> None:
    token = request_id.set("r-18")
    try:
        lines, machine = (form.format(record("broke", error=ValueError("at x"))) for form in FORMS)
    finally:
        request_id.reset(token)
    assert lines.splitlines()[0] == "WARNING broke [r-18]"
    assert lines.splitlines()[-1] == "ValueError: at x"
    assert json.loads(machine)["request_id"] == "r-18"


@pytest.mark.database
def test_what_django_tells_of_an_answer_names_its_request(
    instance: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does so when the request is over."""
    from django.test import Client

    from shipmend.api import limits

    def away(_: str) -> None:
        raise Unavailable("The disk is full.")

    monkeypatch.setattr(limits, "check_address", away)
    assert Client().get("/api/v1/releases", headers={"X-Request-Id": "r-19"}).status_code == 503
    (told,) = [each for each in caplog.records if each.name == "django.request"]
    assert [form.format(told).count("r-19") for form in FORMS] == [1, 1]


@pytest.mark.database
def test_a_server_writes_a_line_of_json_for_each_request_when_told_so(
    instance: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    import subprocess

    environ = {"SHIPMEND_LOG_FORMAT": "json", "SHIPMEND_LOG_REQUESTS": "1"}
    with serve(instance, python=sys.executable, environ=environ) as address:
        command = ["curl", "--silent", "-H", "X-Request-Id: mine", f"{address}/healthz?token={tokens.mint()}"]
        subprocess.run(command, check=True, capture_output=True)
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines() if line.startswith("{")]
    (line,) = [each for each in lines if each.get("request_id") == "mine"]
    assert (line["message"], line["status"], line["address"]) == ("GET /healthz", 200, "127.0.0.1")
