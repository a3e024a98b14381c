"""How long a useless token takes to be refused tells nothing of why; nor does the answer."""

from __future__ import annotations

import http.client
import random
import statistics
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.figures import note
from tests.faults.instance import instance
from tests.faults.scale import rounds

pytestmark = pytest.mark.database

_ISSUE = """
from shipmend.accounts.models import ApiToken
from shipmend.accounts.tokens import issue, revoke
from shipmend.audit.trail import COMMAND_LINE
from shipmend.catalog.queries import find_place, find_tenant
from shipmend.core.values import ResourcePath
from shipmend.core.tokens import mint
tenant = find_tenant("e")
tokens = {name: issue(place=find_place(tenant, ResourcePath("e")), name=name, actor=COMMAND_LINE)
          for name in ("revoked", "expired", "replaced")}
revoke(tenant=tenant, token_id=tokens["revoked"].row.id, actor=COMMAND_LINE)
ApiToken.objects.filter(id=tokens["expired"].row.id).update(expires_at=1)
ApiToken.objects.filter(id=tokens["replaced"].row.id).update(expires_at=1, replaced_by=tokens["expired"].row)
print(json.dumps({"unknown": mint(), **{name: token.text for name, token in tokens.items()}}))
"""
WELL_FORMED = ("unknown", "revoked", "expired", "replaced")


def test_useless_tokens_are_refused_alike(tmp_path: Path) -> None:
    calls = rounds(20_000, least=210)
    with instance(tmp_path, environ={"SHIPMEND_TOKEN_FAILURES": "0"}) as here:
        tokens = {**here.ask(_ISSUE), "none": "", "malformed": "x"}
        tokens["wrong checksum"] = tokens["unknown"][:-1] + ("a" if tokens["unknown"][-1] != "a" else "b")
        here.start("web")
        here.wait_until_ready()
        took: dict[str, list[int]] = {name: [] for name in tokens}
        bodies = set()
        names = [name for name in tokens for _ in range(calls // len(tokens))]
        random.Random(1).shuffle(names)
        with closing(http.client.HTTPConnection("127.0.0.1", here.port)) as connection:
            for name in names:
                headers = {"Authorization": f"Bearer {tokens[name]}"} if tokens[name] else {}
                began = time.perf_counter_ns()
                connection.request("GET", "/api/v1/api_tokens", headers=headers)
                answer = connection.getresponse()
                body = answer.read()
                took[name].append(time.perf_counter_ns() - began)
                bodies.add((answer.status, answer.headers["WWW-Authenticate"], body))
    assert [status for status, *_ in bodies] == [401], "one and the same answer"
    medians = {name: statistics.median(each) / 1000 for name, each in took.items()}
    apart = max(medians[name] for name in WELL_FORMED) - min(medians[name] for name in WELL_FORMED)
    told = ", ".join(f"{name} {medians[name]:.0f}" for name in medians)
    note(
        "token timing",
        f"{len(names)} calls",
        f"equal answers; medians in µs: {told}; well-formed ones {apart:.0f} apart",
    )
