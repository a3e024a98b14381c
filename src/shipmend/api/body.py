"""Query string, form body and JSON body, read into one set of given values.

Nothing is decided here about what a value means; only what can't be read at all is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import parse_qsl

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, UnreadablePostError
from django.http.multipartparser import MultiPartParserError

from shipmend.core.errors import BadRequest, Invalid, TooLarge, shown

MAX_BODY = 1 << 20
MAX_LINES = 4 << 20
"""Bytes of a body of JSON lines: as many as a batch may have, of 800 each."""
MAX_FIELDS = 1000
MOST_DIGITS = 1000
"""Of a number in JSON. No parameter needs so many; Python reads 4,300."""
DEEPEST = 50
"""No parameter is nested deeper than two, but hooks send much else beside."""

# `curl -d released_at="$(date -Iseconds)"` sends 14:40:15+01:00 as it was typed, and its + would become a blank. What
# writes blanks as + escapes colons too, so a + behind a plain time and before an offset that ends the value is meant.
_BLANK = r"(?: |%20|\+)?"
_TYPED_OFFSET = re.compile(
    rf"(:[0-9]{{2}}(?:[.,][0-9]{{1,9}})?{_BLANK}(?:GMT|UTC)?)\+"
    rf"(?=(?:0[0-9]|1[0-4])(?::?[0-5][0-9])?(?:{_BLANK}(?:[(\[]|%28|%5B)[^&]{{0,40}}+)?(?:&|\Z))"
)
_UNSTORABLE = re.compile("[\\0\ud800-\udfff]")

Given: TypeAlias = "str | int | float | bool | list[object] | dict[str, object]"


@dataclass(frozen=True, slots=True)
class Parameters:
    """Every value that came under each name, from wherever it came. JSON null is a value not given."""

    values: dict[str, list[Given]] = field(default_factory=dict)

    def add(self, name: str, value: Given) -> None:
        """Note one more value. A list in Rails' spelling, `name[]`, gathers into one."""
        if name.endswith("[]"):
            gathered = self.values.setdefault(name[:-2], [[]])
            if isinstance(gathered[0], list):
                gathered[0].append(value)
            return
        self.values.setdefault(name, []).append(value)

    def all(self, name: str) -> list[Given]:
        """What came under `name`: usually one value, or none."""
        return self.values.get(name, [])


def given_twice(name: str, one: object, other: object) -> Invalid:
    """The refusal of a parameter that came twice and means two things."""
    return Invalid(
        _showable(name), f"is given twice with two values, {shown(one)} and {shown(other)}", mend="give it once"
    )


def read_query(request: HttpRequest) -> Parameters:
    """What the query string gives. Raises BadRequest or Invalid."""
    parameters = Parameters()
    add_pairs(parameters, _pairs(request.META.get("QUERY_STRING", ""), "query string"))
    return parameters


def read_parameters(request: HttpRequest) -> Parameters:
    """All that a request gives. Raises BadRequest, TooLarge or Invalid."""
    parameters = read_query(request)
    if request.method in ("GET", "HEAD"):
        return parameters
    if request.content_type == "multipart/form-data":
        _check_head(request, MAX_BODY)
        add_pairs(parameters, _multipart(request))
    else:
        _add_body(parameters, read_text(request), request.content_type or "")
    return parameters


def read_text(request: HttpRequest, most: int = MAX_BODY) -> str:
    """The body as it is, of at most so many bytes. Raises BadRequest and TooLarge."""
    _check_head(request, most)
    charset = (request.content_params or {}).get("charset", "utf-8")
    if charset.strip('"').lower() not in ("utf-8", "utf8", "us-ascii"):
        raise BadRequest(f"The body is said to be in {charset[:40]!r}: send UTF-8.")
    try:
        # Some programs begin each text with a byte order mark, which is no part of it.
        return request.body.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise BadRequest(f"The body is not UTF-8 (byte {error.start} of it): send UTF-8.") from error
    except RequestDataTooBig as error:
        raise TooLarge(f"The body is too large: at most {most} bytes are read.") from error
    except UnreadablePostError as error:
        raise BadRequest("The body did not arrive whole: send the call again.") from error


def _check_head(request: HttpRequest, most: int) -> None:
    declared = request.META.get("CONTENT_LENGTH") or "0"
    if declared.isdigit() and int(declared) > most:
        raise TooLarge(f"The body has {declared} bytes: at most {most} are read.")
    coding = str(request.META.get("HTTP_CONTENT_ENCODING", "")).strip()
    if coding.lower() not in ("", "identity"):
        raise BadRequest(f"The body has Content-Encoding {shown(coding)}: send it as it is, without that header.")


def _add_body(parameters: Parameters, text: str, content_type: str) -> None:
    # `curl -d '{…}'` says it sends a form; no form begins with a brace.
    looks_like_json = text.lstrip().startswith(("{", "["))
    if content_type == "application/json" or content_type.endswith("+json") or looks_like_json:
        if text.strip():
            add_json(parameters, text)
    elif content_type in ("application/x-www-form-urlencoded", "", "text/plain"):
        add_pairs(parameters, _pairs(text, "body"))
    elif text:
        raise BadRequest(f"The body is of type {content_type[:80]!r}: send a form or JSON.")


def add_json(parameters: Parameters, text: str, where: str = "body") -> None:
    """Add the members of the one JSON object that `text`, found in `where`, is. Raises BadRequest and Invalid."""
    try:
        found = _JSON.decode(text)
    except RecursionError as error:
        raise BadRequest(f"The JSON {where} is nested too deeply: send one object of plain values.") from error
    except ValueError as error:
        raise BadRequest(f"The {where} is not JSON ({error}): send one object of plain values.") from error
    if not isinstance(found, dict):
        raise BadRequest(f'The JSON {where} is {_json_type(found)}: send one object, {{"name": value, …}}.')
    for name, value in found.items():
        _check_text(name, name)
        _check_text(name, value)
        if value is not None:
            parameters.add(name, value)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found and found[name] != value:
            raise given_twice(name, found[name], value)
        found[name] = value
    return found


def _no_constant(text: str) -> object:
    raise ValueError(f"{text} is not a JSON value")


def _whole_number(digits: str) -> int:
    count = len(digits.lstrip("-"))
    if count > MOST_DIGITS:
        raise BadRequest(f"A number has {count} digits: at most {MOST_DIGITS} are read.")
    return int(digits)


_JSON = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant, parse_int=_whole_number)
"""As json.loads, which makes a decoder for each call."""


def _json_type(value: object) -> str:
    return "a list" if isinstance(value, list) else f"the value {json.dumps(value)[:40]}"


def _pairs(text: str, where: str) -> list[tuple[str, str]]:
    if not text:
        return []
    text = _TYPED_OFFSET.sub(r"\1%2B", text)
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except UnicodeDecodeError as error:
        raise BadRequest(f"The {where} holds percent-escapes that are not UTF-8: escape UTF-8 bytes.") from error
    except ValueError as error:
        raise BadRequest(
            f"The {where} holds more than {MAX_FIELDS} fields: send only those that the call takes."
        ) from error
    return pairs


def _multipart(request: HttpRequest) -> list[tuple[str, str]]:
    try:
        form = request.POST
    except RequestDataTooBig as error:
        raise TooLarge(f"The body is too large: at most {MAX_BODY} bytes are read.") from error
    except (MultiPartParserError, SuspiciousOperation, UnreadablePostError) as error:
        raise BadRequest(f"The multipart body can't be read ({error}): send a form or JSON.") from error
    return [(name, value) for name, values in form.lists() for value in values]


def add_pairs(parameters: Parameters, pairs: Iterable[tuple[str, str]]) -> None:
    """Add names and values that are texts. Raises Invalid."""
    for name, value in pairs:
        _check_text(name, name)
        _check_text(name, value)
        parameters.add(name, value)


def _check_text(name: str, value: object, deep: int = 0) -> None:
    """Refuse text that no database could store, and what is nested so deeply that not all code could walk it."""
    if deep > DEEPEST:
        raise BadRequest(f"{_showable(name)} is nested too deeply: send one object of plain values.")
    if isinstance(value, list | dict):
        for each in value.values() if isinstance(value, dict) else value:
            _check_text(name, each, deep + 1)
    if isinstance(value, str) and _UNSTORABLE.search(value):
        raise Invalid(_showable(name), "holds a NUL or half a surrogate pair", mend="send plain Unicode text")


def _showable(name: str) -> str:
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", name)
