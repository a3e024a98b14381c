"""Reading ids without their constructor makes the same ids."""

from __future__ import annotations

import copy
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from shipmend.db.fields import read_id


@given(st.binary(min_size=16, max_size=16))
def test_an_id_is_read_as_its_constructor_would_make_it(stored: bytes) -> None:
    made, usual = read_id(stored), UUID(bytes=stored)
    assert made == usual
    assert hash(made) == hash(usual)
    assert repr(made) == repr(usual)
    assert made.is_safe == usual.is_safe
    assert made.bytes == stored
    assert copy.deepcopy(made) == usual
