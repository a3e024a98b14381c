"""The files to start from in `docs/deploy/`, and the unit in `docs/operations.md`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
NGINX = (DOCS / "deploy" / "nginx.conf").read_text()


def test_the_proxy_never_leaves_out_a_process_for_having_been_restarted() -> None:
    servers = re.findall(r"^ +(?:# )?server [^;{]+:[0-9]+.*;$", NGINX, re.MULTILINE)
    assert len(servers) > 1
    assert not [server for server in servers if "max_fails=0" not in server]


def test_the_proxy_leaves_the_callers_request_id_alone() -> None:
    assert "proxy_set_header" in NGINX
    assert "x-request-id" not in NGINX.lower()


@pytest.mark.parametrize("file", ["deploy/shipmend-web.service", "deploy/shipmend-worker.service", "operations.md"])
def test_a_unit_is_started_again_however_long_its_database_is_away(file: str) -> None:
    """By default systemd gives up for good after five starts in ten seconds."""
    text = (DOCS / file).read_text()
    unit, service = text[text.index("[Unit]") :].split("[Service]")
    assert "\nStartLimitIntervalSec=0\n" in unit
    assert re.search(r"^Restart=on-failure\nRestartSec=[1-9]", service, re.MULTILINE)
