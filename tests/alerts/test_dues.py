"""The earliest first, each at its newest time, and nothing else: against a plain dictionary."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from daemon.alerts.dues import FEW, Dues

NAMES = st.sampled_from("abcdef")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), NAMES, st.integers(0, 100)),
        st.tuples(st.just("drop"), NAMES, st.just(0)),
        st.tuples(st.just("take"), st.just(""), st.integers(0, 100)),
    ),
    max_size=300,
)


@given(STEPS)
def test_as_a_plain_dictionary_would_have_it(steps):
    dues, plain = Dues[str](), dict[str, float]()
    for verb, name, at_s in steps:
        if verb == "put":
            dues.put(name, at_s)
            plain.pop(name, None)
            plain[name] = at_s
        elif verb == "drop":
            dues.drop(name)
            plain.pop(name, None)
        else:
            due = sorted((n for n, s in plain.items() if s <= at_s), key=plain.__getitem__)
            assert dues.take(at_s) == due
            plain = {n: s for n, s in plain.items() if s > at_s}
        assert dues.next_s() == min(plain.values(), default=None)


def test_what_is_put_again_and_again_takes_no_room():
    dues = Dues[str]()
    for turn in range(10_000):
        dues.put("a", 1000.0 - turn % 2)
    assert len(dues._heap) <= 2 + FEW
    assert dues.take(2000.0) == ["a"]
