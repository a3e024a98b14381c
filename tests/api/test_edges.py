"""What answers at the edges: unknown paths, wrong methods, sizes, encodings; and what the document says."""

from __future__ import annotations

import gzip
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

import pytest
from django.test import Client

from shipmend.api.body import MAX_BODY, MAX_LINES
from shipmend.db.writes import write
from shipmend.delivery import store
from tests.threads import at_once
from tests.world import Api, World

pytestmark = pytest.mark.database

SHA = "541a8b28d08405aa961f9de1d7c8fcd5c3da3218"


@pytest.mark.parametrize("path", ["", "nothing", "releases/", "releases/17", "api_tokens/x", "api_tokensx", "%00", "é"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PUT"])
def test_an_unknown_path_answers_with_the_envelope(method: str, path: str, instance: object) -> None:
    response = Client(raise_request_exception=False).generic(method, f"/api/v1/{path}")
    assert response.status_code == 404
    assert json.loads(response.content)["response_em"] == "response_not_found"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "api_tokens", "GET"),
        ("PUT", "releases", "POST, GET"),
        ("PATCH", "critical_defects", "POST, GET"),
        ("DELETE", "releases", "POST, GET"),
        ("POST", "critical_defects/K-1", "GET, DELETE"),
        ("OPTIONS", "imports", "POST, GET"),
        ("TRACE", "imports", "POST, GET"),
        ("POST", "releases/01890000-0000-7000-8000-000000000000", "GET, DELETE"),
    ],
)
def test_a_wrong_method_names_the_right_ones(method: str, path: str, allowed: str, world: World) -> None:
    headers = {"Authorization": f"Bearer {world.api().token}"}
    response = Client().generic(method, f"/api/v1/{path}", headers=headers)
    answer = json.loads(response.content)
    assert (response.status_code, answer["response_em"]) == (405, "response_invalid_request")
    assert response.headers["Allow"] == allowed
    assert method in answer["response_detail"]


def post(api: Api, body: bytes, content_type: str) -> tuple[int, str, str]:
    headers = {"Authorization": f"Bearer {api.token}"}
    client = Client(raise_request_exception=False)
    response = client.generic("POST", "/api/v1/releases", body, content_type=content_type, headers=headers)
    answer = json.loads(response.content)
    return response.status_code, answer["response_em"], answer["response_detail"]


FORM = "application/x-www-form-urlencoded"


def post_form(api: Api, path: str, body: str) -> tuple[int, Any]:
    """A form as it goes over the wire."""
    headers = {"Authorization": f"Bearer {api.token}"}
    response = api.client.generic("POST", f"/api/v1/{path}", body, content_type=FORM, headers=headers)
    return response.status_code, json.loads(response.content)


@pytest.mark.parametrize(
    ("body", "content_type", "status", "says"),
    [
        (b"name=\xff", FORM, 400, "UTF-8"),
        (b"name=%ff", FORM, 400, "UTF-8"),
        (b"name=%00", FORM, 400, "NUL"),
        (b"a=1&" * 1500, FORM, 400, "1000 fields"),
        (b'{"name": "\xff"}', "application/json", 400, "UTF-8"),
        (b"name=x", f"{FORM}; charset=latin-1", 400, "latin-1"),
        (b"<a/>", "text/xml", 400, "text/xml"),
        (b"--x\r\nnonsense", "multipart/form-data", 400, "multipart"),
        (b"--x\r\n" + b"x" * MAX_BODY, "multipart/form-data; boundary=x", 413, str(MAX_BODY)),
        (b"--x\r\nnonsense", "multipart/form-data; boundary=x", 400, "resource_path"),
        (b"x" * (MAX_BODY + 1), FORM, 413, str(MAX_BODY)),
        (b"{" + b" " * MAX_BODY + b"}", "application/json", 413, str(MAX_BODY)),
        (b"", "application/json", 400, "resource_path"),
        (b"", "", 400, "resource_path"),
        (b"=", FORM, 400, "resource_path"),
        (b"&&&;=;", FORM, 400, "resource_path"),
    ],
)
def test_a_body_that_can_not_be_read_is_refused(
    body: bytes, content_type: str, status: int, says: str, world: World
) -> None:
    got, response_em, detail = post(world.api(), body, content_type)
    assert got == status
    assert response_em == ("response_invalid_request" if status == 413 else "response_invalid_params")
    assert says in detail


@pytest.mark.parametrize("content_type", [FORM, "application/json", "text/plain", "", "application/vnd.api+json"])
def test_json_is_read_whatever_curl_says_it_is(content_type: str, world: World) -> None:
    body = json.dumps({"resource_path": str(world.repo().path), "release_sha": SHA, "released_at": "2021-05-25"})
    assert post(world.api(), body.encode(), content_type)[0] == 200


@pytest.mark.parametrize("path", ["releases", "batch"])
@pytest.mark.parametrize("content_type", [FORM, "application/json", "multipart/form-data; boundary=x"])
def test_a_compressed_body_is_refused_by_its_coding(path: str, content_type: str, world: World) -> None:
    body = json.dumps({"resource_path": str(world.repo().path), "release_sha": SHA, "released_at": "2021-05-25"})
    for coding, status in (("gzip", 400), ("br", 400), ("Identity", 200)):
        headers = {"Authorization": f"Bearer {world.api().token}", "Content-Encoding": coding}
        sent = gzip.compress(body.encode()) if status == 400 else body.encode()
        kind = content_type if status == 400 else "application/json"
        reply = Client().generic("POST", f"/api/v1/{path}", sent, content_type=kind, headers=headers)
        assert reply.status_code == status
        if status == 400:
            detail = json.loads(reply.content)["response_detail"]
            assert detail == f'The body has Content-Encoding "{coding}": send it as it is, without that header.'


@pytest.mark.parametrize("content_type", [FORM, "application/json"])
def test_a_byte_order_mark_before_a_body_is_no_part_of_it(content_type: str, world: World) -> None:
    given = {"resource_path": str(world.repo().path), "release_sha": SHA, "released_at": "2021-05-25"}
    body = json.dumps(given) if content_type != FORM else urlencode(given)
    assert post(world.api(), b"\xef\xbb\xbf" + body.encode(), content_type)[0] == 200


def test_a_multipart_form_is_read(world: World) -> None:
    body = b"".join(
        b'--cut\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % pair
        for pair in (
            (b"resource_path", str(world.repo().path).encode()),
            (b"release_sha", SHA.encode()),
            (b"released_at", b"2021-05-25"),
        )
    )
    assert post(world.api(), body + b"--cut--\r\n", "multipart/form-data; boundary=cut")[0] == 200


@pytest.mark.parametrize(("path", "most"), [("releases", MAX_BODY), ("batch", MAX_LINES)])
def test_a_server_takes_as_much_as_an_operation_does(live_server: str, path: str, most: int) -> None:
    """A body that is taken is then refused for want of a token."""
    for size, status in ((most, 401), (most + 1, 413)):
        connection = HTTPConnection(urlsplit(live_server).netloc, timeout=30)
        connection.request("POST", f"/api/v1/{path}", b" " * size)
        assert connection.getresponse().status == status
        connection.close()


def test_head_is_get_without_a_body(world: World) -> None:
    response = Client().head("/api/v1/api_tokens", headers={"Authorization": f"Bearer {world.api().token}"})
    assert (response.status_code, response.content) == (200, b"")


def test_a_read_waits_for_no_writer_of_what_it_reads(world: World) -> None:
    api, path = world.api(), world.repo().path
    release = api.post("releases", resource_path=path, release_sha=SHA, released_at=1621959600).json["release"]["id"]
    api.post("critical_defects", resource_path=path, defect_key="K", detected_at=1621959600)
    holds, has_read = threading.Event(), threading.Event()

    def change() -> bool:
        store.release_by_id(world.tenant, UUID(release))
        store.defect_by_key(world.tenant, "K")
        holds.set()
        return has_read.wait(10)

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(at_once, lambda _: write(change), [None], threads=1)
        assert holds.wait(10)
        for read in (f"releases/{release}", "critical_defects/K"):
            assert api.get(read).status == 200
        has_read.set()
        assert writing.result() == [True], "the reads came back while the writer was still at it"


@pytest.mark.parametrize(
    ("typed", "at"),
    [
        ("2021-05-25T16:20:00+02:00", "2021-05-25T14:20:00Z"),
        ("2021-05-25T16:20:00.5+0530", "2021-05-25T10:50:00Z"),
        ("2021-05-25 16:20:00+02", "2021-05-25T14:20:00Z"),
        ("2021-05-25 16:20:00 +0200", "2021-05-25T14:20:00Z"),
        ("Tue, 25 May 2021 16:20:00 +0200", "2021-05-25T14:20:00Z"),
        ("Tue May 25 2021 16:20:00 GMT+0200 (CEST)", "2021-05-25T14:20:00Z"),
        ("2021-05-25T16:20+02:00[Europe/Berlin]", "2021-05-25T14:20:00Z"),
        ("Tue+May+25+16:20:00+2021", "2021-05-25T16:20:00Z"),
        ("2021-05-25+16:20", "2021-05-25T16:20:00Z"),
        ("May+25,+2021+at+4:20pm", "2021-05-25T16:20:00Z"),
    ],
)
def test_an_offset_typed_on_a_command_line_keeps_its_plus(typed: str, at: str, world: World) -> None:
    api, path = world.api(), world.repo().path
    given = f"released_at={typed}"
    for url, body in (("releases", given), (f"releases?{given.replace(' ', '%20')}", "")):
        text = f"{body}&resource_path={path}&release_sha={SHA}&name=a+b"
        status, answer = post_form(api, url, text)
        assert status == 200, answer
        assert (answer["release"]["released_at"], answer["release"]["name"]) == (at, "a b")


def test_a_blank_that_a_program_wrote_as_plus_stays_a_blank(world: World) -> None:
    for value in ("2021-05-25T16%3A20%3A00+02%3A00", "2021-05-25T16:20:00%2002:00"):
        body = f"released_at={value}&resource_path={world.repo().path}&release_sha={SHA}"
        status, answer = post_form(world.api(), "releases", body)
        assert status == 400
        assert "send the + as %2B" in answer["response_detail"]


@pytest.mark.parametrize("number", [1621959600, 1621959600.987, 1621959600000, 1621959600123456])
def test_an_epoch_number_is_a_date(number: float, world: World) -> None:
    reply = world.api().post_json(
        "releases", {"resource_path": str(world.repo().path), "release_sha": SHA, "released_at": number}
    )
    assert reply.json["release"]["released_at"] == "2021-05-25T16:20:00Z"


def test_the_entity_s_zone_reads_dates_that_name_none(instance: object) -> None:
    world = World.make(time_zone="America/New_York")
    call = {"resource_path": world.repo().path, "release_sha": SHA, "released_at": "May 25, 2021 at 4:20pm"}
    reply = world.api().post("releases", call)
    assert reply.json["release"]["released_at"] == "2021-05-25T20:20:00Z"
    assert "May 25 at 4:20 pm" in reply.json["response_detail"]


def test_the_document_lists_what_is_served(instance: object) -> None:
    document = json.loads(Client().get("/api/v1/openapi.json").content)
    served = {(path, method) for path, methods in document["paths"].items() for method in methods}
    assert served == {
        ("/api_tokens", "get"),
        ("/batch", "post"),
        ("/reports", "get"),
        ("/segment_introspections", "get"),
        ("/audits", "get"),
        ("/developers", "get"),
        ("/releases", "get"),
        ("/releases", "post"),
        ("/releases/{release_id}", "get"),
        ("/releases/{release_id}", "delete"),
        ("/releases/{release_id}/changes", "get"),
        ("/changes", "get"),
        ("/live", "get"),
        ("/waiting", "get"),
        ("/critical_defects", "get"),
        ("/critical_defects", "post"),
        ("/critical_defects/{defect_key}", "get"),
        ("/critical_defects/{defect_key}", "delete"),
        ("/critical_defect_causes/{defect_key}", "post"),
        ("/imports", "get"),
        ("/imports", "post"),
    }
    body = document["paths"]["/critical_defects"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["required"] == ["defect_key", "resource_path"]
    names = "defect_key resource_path detected_at detected_now description fix_released_at fix_released_now"
    assert set(body["properties"]) == {*names.split(), "fix_released_sha", "severity", "dry_run"}
