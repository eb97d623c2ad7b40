"""What the small TOML writer writes, ``tomllib`` reads back the same."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.assets import asset
from daemon.simulate import toml

# TOML has no half characters, and its integers have 64 bits.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
scalars = (
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | texts
    | st.dates()
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=25,
)


@given(st.dictionaries(texts, values, max_size=6))
def test_whatever_is_written_is_read_back_the_same(tree):
    assert tomllib.loads(toml.written(tree)) == tree


def test_the_sample_ship_is_written_as_it_is_read():
    tree = tomllib.loads(asset("ispsd.toml").read_text("utf-8"))
    assert tomllib.loads(toml.written(tree)) == tree


def test_tables_are_written_as_people_write_them():
    tree = {"ship": {"name": "KESTREL"}, "door": [{"id": "d1", "inputs": [1, 2]}, {"id": "d2"}]}
    assert toml.written(tree) == (
        '\n[ship]\nname = "KESTREL"\n\n[[door]]\nid = "d1"\ninputs = [1, 2]\n\n[[door]]\nid = "d2"\n'
    )


@pytest.mark.parametrize("value", [None, datetime(2026, 11, 22, tzinfo=UTC), b"bytes"])
def test_what_cannot_be_written_is_refused(value):
    with pytest.raises(TypeError, match="cannot be written"):
        toml.written({"x": value})
