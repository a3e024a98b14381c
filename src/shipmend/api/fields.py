"""The types a parameter can have: how each is read, and how each is told in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from shipmend.api.body import Given, Parameters, given_twice
from shipmend.core.errors import Invalid
from shipmend.core.moments import DateOrder, Moment, UnreadableMoment, read_moment
from shipmend.core.values import DOT_SEGMENT, ResourcePath, Sha, is_addressable

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
E = TypeVar("E", bound=StrEnum)

Schema = dict[str, Any]
INTEGER_LIMIT = 2**31
_ADDRESSABLE: Schema = {"not": {"pattern": DOT_SEGMENT}}


@dataclass(frozen=True, slots=True)
class Setting:
    """What reading a value may depend on: the entity's zone and date order, and the clock (epoch seconds)."""

    zone: ZoneInfo
    date_order: DateOrder
    now: int


Read = Callable[[str, Given, Setting], T_co]


@dataclass(frozen=True, slots=True)
class Field(Generic[T_co]):
    """One parameter: its name, how it is read, and what the reference says of it."""

    name: str
    read: Read[T_co]
    schema: Schema
    doc: str
    required: bool = False
    example: object = None


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads a call's parameters as the fields of its operation."""

    fields: frozenset[str]
    parameters: Parameters
    setting: Setting
    seen: list[str] = field(default_factory=list)

    def get(self, wanted: Field[T]) -> T | None:
        """The value of a field, or None if it was not given. Raises Invalid.

        A value that came twice, say in the query and in the body, must mean the same both times.
        """
        if wanted.name not in self.fields:
            raise LookupError(f"{wanted.name} is read but not declared, so the reference would not tell of it")
        given = self.parameters.all(wanted.name)
        if len(given) < 2:
            return wanted.read(wanted.name, given[0], self.setting) if given else None
        values = [wanted.read(wanted.name, each, self.setting) for each in given]
        for other, value in zip(given, values, strict=True):
            if _meaning(value) != _meaning(values[0]):
                raise given_twice(wanted.name, given[0], other)
        return values[0]

    def need(self, wanted: Field[T]) -> T:
        """The value of a required field. Raises Invalid."""
        value = self.get(wanted)
        if value is None:
            raise Invalid(wanted.name, "is missing", mend=f"give it, as in {wanted.example}")
        return value


def text_field(name: str, doc: str, *, longest: int, empty: bool = True, **more: Any) -> Field[str]:
    """Free text on one or more lines, at most `longest` characters."""

    def read(name: str, given: Given, _: Setting) -> str:
        text = as_text(name, given).strip()
        if len(text) > longest:
            raise Invalid(name, f"has {len(text)} characters", value=text, mend=f"give at most {longest}")
        if not text and not empty:
            raise Invalid(name, "is empty", mend=f"give it, as in {more.get('example')}")
        return text

    return Field(name, read, {"type": "string", "maxLength": longest}, doc, **more)


def key_field(name: str, doc: str, *, longest: int, **more: Any) -> Field[str]:
    """A name that people choose and refer to: printable, on one line."""
    inner = text_field(name, doc, longest=longest, empty=False, **more)

    def read(name: str, given: Given, setting: Setting) -> str:
        text = inner.read(name, given, setting)
        if not text.isprintable():
            raise Invalid(name, "holds unprintable characters", value=text, mend="use letters, digits and punctuation")
        return text

    return Field(name, read, {**inner.schema, "minLength": 1}, doc, **more)


def address_field(name: str, doc: str, *, longest: int, **more: Any) -> Field[str]:
    """The key of something that has a page of its own, whose address ends with it."""
    inner = key_field(name, doc, longest=longest, **more)

    def read(name: str, given: Given, setting: Setting) -> str:
        return _addressable(name, inner.read(name, given, setting))

    return Field(name, read, {**inner.schema, **_ADDRESSABLE}, doc, **more)


def _addressable(name: str, key: str) -> str:
    if not is_addressable(key):
        raise Invalid(name, 'has "." or ".." alone between slashes', value=key, mend="give a key as BANANA-123")
    return key


def id_field(name: str, doc: str, **more: Any) -> Field[UUID]:
    """The id of something this instance made."""

    def read(name: str, given: Given, _: Setting) -> UUID:
        text = as_text(name, given).strip()
        try:
            return UUID(text)
        except ValueError as error:
            raise Invalid(name, "is not an id", value=text, mend=f"give one as in {more.get('example')}") from error

    return Field(name, read, {"type": "string", "format": "uuid"}, doc, **more)


def path_field(name: str, doc: str, **more: Any) -> Field[ResourcePath]:
    """A ResourcePath of the contract."""

    def read(name: str, given: Given, _: Setting) -> ResourcePath:
        return ResourcePath.parse(as_text(name, given), parameter=name)

    return Field(name, read, {"type": "string"}, doc, **more)


def sha_field(name: str, doc: str, **more: Any) -> Field[Sha]:
    """A SHA of the contract; 7 or more digits of one will do."""

    def read(name: str, given: Given, _: Setting) -> Sha:
        return Sha.parse(as_text(name, given), parameter=name)

    return Field(name, read, {"type": "string", "pattern": "^[0-9a-fA-F]{7,40}$"}, doc, **more)


def moment_field(name: str, doc: str, *, may_lie_ahead: bool = False, **more: Any) -> Field[Moment]:
    """A DateTime of the contract; a JSON number is epoch seconds, milliseconds or microseconds.

    What has happened lies at most a day ahead of the server's clock; the end of a window may lie anywhere.
    """

    def read(name: str, given: Given, setting: Setting) -> Moment:
        text = as_text(name, f"{given:.6f}" if isinstance(given, float) else given)
        now = None if may_lie_ahead else setting.now
        try:
            return read_moment(text, zone=setting.zone, date_order=setting.date_order, now=now)
        except UnreadableMoment as error:
            raise Invalid(name, error.because, value=text, mend=error.mend) from error

    return Field(name, read, {"type": "string"}, doc, **more)


def flag_field(name: str, doc: str, *, example: bool = True) -> Field[bool]:
    """A Boolean of the contract: JSON's own, or the words in any case."""

    def read(name: str, given: Given, _: Setting) -> bool:
        if isinstance(given, bool):
            return given
        word = given.strip().lower() if isinstance(given, str) else ""
        if word not in ("true", "false"):
            raise Invalid(name, "is not a Boolean", value=given, mend="write true or false")
        return word == "true"

    schema: Schema = {
        "anyOf": [{"type": "boolean"}, {"type": "string", "pattern": "^([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])$"}]
    }
    return Field(name, read, schema, doc, example=example)


def integer_field(name: str, doc: str, *, least: int, most: int, **more: Any) -> Field[int]:
    """A whole number."""

    def read(name: str, given: Given, _: Setting) -> int:
        number = _whole_number(given)
        if number is None or not least <= number <= most:
            raise Invalid(name, "is not a whole number in range", value=given, mend=f"give one from {least} to {most}")
        return number

    return Field(name, read, {"type": "integer", "minimum": least, "maximum": most}, doc, **more)


def number_or_none_field(name: str, doc: str, **more: Any) -> Field[frozenset[int | None]]:
    """A whole number, or the word none for what has none: as the set of what is meant."""
    number = integer_field(name, doc, least=-INTEGER_LIMIT, most=INTEGER_LIMIT - 1)

    def read(name: str, given: Given, setting: Setting) -> frozenset[int | None]:
        if isinstance(given, str) and given.strip().lower() == "none":
            return frozenset({None})
        return frozenset({number.read(name, given, setting)})

    return Field(name, read, {"anyOf": [number.schema, {"const": "none"}]}, doc, **more)


def choice_field(name: str, doc: str, choices: type[E], **more: Any) -> Field[E]:
    """One of a closed list of words."""

    def read(name: str, given: Given, _: Setting) -> E:
        word = as_text(name, given).strip().lower()
        try:
            return choices(word)
        except ValueError as error:
            raise Invalid(name, "is not a choice", value=given, mend=f"give one of {', '.join(choices)}") from error

    return Field(name, read, {"type": "string", "enum": list(choices)}, doc, **more)


def names_field(name: str, doc: str, find: Callable[[str], T], *, most: int, **more: Any) -> Field[tuple[T, ...]]:
    """A list of names between commas, or as a JSON list; `find` says what each names, or raises Invalid."""

    def read(name: str, given: Given, _: Setting) -> tuple[T, ...]:
        parts = given if isinstance(given, list) else as_text(name, given).split(",")
        found = tuple(dict.fromkeys(find(text) for part in parts if (text := as_text(name, part).strip())))
        if not 0 < len(found) <= most:
            raise Invalid(name, f"names {len(found)}", mend=f"give from 1 to {most}, with commas between")
        return found

    schema: Schema = {"type": "array", "maxItems": most, "items": {"type": "string"}}
    return Field(name, read, schema, doc, **more)


def keys_field(name: str, doc: str, *, longest: int, most: int, **more: Any) -> Field[tuple[str, ...]]:
    """A list of keys that have pages: a JSON list, a repeated `name[]`, or words between commas."""

    def read(name: str, given: Given, _: Setting) -> tuple[str, ...]:
        parts = given if isinstance(given, list) else as_text(name, given).split(",")
        keys = tuple(dict.fromkeys(text for part in parts if (text := as_text(name, part).strip())))
        if len(keys) > most:
            raise Invalid(name, f"holds {len(keys)} keys", mend=f"give at most {most}")
        for key in keys:
            if len(key) > longest or not key.isprintable():
                raise Invalid(
                    name, "holds a key that is too long or unprintable", value=key, mend="give keys as BANANA-123"
                )
            _addressable(name, key)
        return keys

    items = {"type": "string", "maxLength": longest, **_ADDRESSABLE}
    return Field(name, read, {"type": "array", "maxItems": most, "items": items}, doc, **more)


def lines_field(name: str, doc: str, *, longest: int, most: int, **more: Any) -> Field[tuple[str, ...]]:
    """A list of texts: a JSON list, a repeated `name[]`, or one a line. What they mean is not looked at."""

    def read(name: str, given: Given, _: Setting) -> tuple[str, ...]:
        parts = given if isinstance(given, list) else as_text(name, given).split("\n")
        return tuple(as_text(name, part) for part in parts)

    schema: Schema = {"type": "array", "maxItems": most, "items": {"type": "string", "maxLength": longest}}
    return Field(name, read, schema, doc, **more)


def as_text(name: str, given: object) -> str:
    """A value as text; a number is its digits. Raises Invalid for anything with parts."""
    if isinstance(given, str):
        return given
    if isinstance(given, int) and not isinstance(given, bool):
        return str(given)
    raise Invalid(name, "is not a text", value=given, mend="send a string")


def _meaning(value: object) -> object:
    """What two spellings of one value share."""
    return value.epoch if isinstance(value, Moment) else value


def _whole_number(given: Given) -> int | None:
    if isinstance(given, bool):
        return None
    if isinstance(given, int):
        return given
    if isinstance(given, float):
        return int(given) if given.is_integer() and abs(given) < INTEGER_LIMIT else None
    if isinstance(given, str):
        digits = given.strip()
        sign, digits = (digits[0], digits[1:]) if digits[:1] in ("-", "+") else ("", digits)
        if digits.isascii() and digits.isdigit() and len(digits) <= 18:
            return int(sign + digits)
    return None
