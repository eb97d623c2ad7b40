"""Which head a witness is asked about next."""

from __future__ import annotations

from daemon.record.cosignature import COSIGNATURE, Verifier
from daemon.witness.standing import Standing, Witness
from tests.record.heads import WITNESS_KEY, head
from tests.record.ship import ORIGIN

OLD = head(5)
NEW = head(2, origin=f"{ORIGIN}/2")


def standing() -> Standing:
    return Standing(Witness("w", Verifier("w", WITNESS_KEY.public_key(), COSIGNATURE)))


def test_the_end_of_the_segment_before_comes_first_and_then_what_is_written():
    each = standing()
    assert each.wants([OLD, NEW]) == OLD
    each.signed[OLD.origin] = 5
    assert each.wants([OLD, NEW]) == NEW
    each.signed[NEW.origin] = 2
    assert each.wants([OLD, NEW]) is None
    assert each.wants([OLD, head(3, origin=NEW.origin)]) is not None


def test_what_was_put_off_comes_after_what_is_written_and_once_only():
    each = standing()
    each.put_by(OLD.origin)
    assert each.wants([OLD, NEW]) == NEW
    each.signed[NEW.origin] = 2
    assert each.wants([OLD, NEW]) == OLD
    each.put_by(OLD.origin)
    assert each.wants([OLD, NEW]) is None
