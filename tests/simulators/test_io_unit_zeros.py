import pytest

from simulators import io_unit, rtu_line
from simulators.io_unit_zeros import Zeros, zeros_of


@pytest.mark.parametrize(
    ("pdu", "answer"),
    [
        ("04 0240 0004", "04 08" + "00" * 8),
        ("04 0242 0002", "04 04" + "00" * 4),
        ("02 0020 0006", "02 01 00"),
        ("04 0242 0003", None),
        ("04 023f 0001", None),
        ("03 0240 0001", None),
        ("04 0240 0000", None),
        ("04 0240", None),
    ],
)
def test_a_table_of_zeros_answers_what_lies_within_it(pdu, answer):
    zeros = Zeros(((4, 0x0240, 4), (2, 0x20, 6)))
    assert zeros.answer(bytes.fromhex(pdu)) == (answer and bytes.fromhex(answer))


@pytest.mark.parametrize(
    "setting", [7, [7], [[4, 576]], [[5, 0, 1]], [[4, 65536, 1]], [[4, 0, 0]], [[4, 0, True]]]
)
def test_a_wrong_setting_is_refused_with_its_reason(setting):
    with pytest.raises(ValueError, match=r"zeros is a list like \[\[4, 576, 4\]\]"):
        zeros_of(setting)


def test_units_on_either_line_have_them():
    unit = io_unit.build("u", {"zeros": [[4, 576, 4]], "inputs": 8})
    assert unit._answer(1, bytes.fromhex("04 0240 0001")) == bytes.fromhex("04 02 0000")
    assert unit._answer(1, bytes.fromhex("02 0000 0001")) == bytes.fromhex("02 01 00")
    line = rtu_line.build("b", {"units": [{"id": 5, "zeros": [[4, 576, 4]]}]})
    assert line._units[5].reply(bytes.fromhex("04 0240 0001")) == bytes.fromhex("04 02 0000")
