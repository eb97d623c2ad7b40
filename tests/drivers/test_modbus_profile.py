import math

import pytest

from daemon.assets import asset
from daemon.drivers.contacts import LoopBands
from daemon.drivers.modbus_profile import LONGEST_FILE_BYTES, Profile, load_profile, read_profile
from daemon.errors import ConfigError, IspsdError

GOOD = """
maker = "M"
model = "N"
function = 2
address = 0
inputs = 16
[[source]]
manual = "Manual"
page = "1"
"""


def written(tmp_path, text):
    path = tmp_path / "unit.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("path", sorted(asset("devices").glob("*.toml")), ids=lambda p: p.stem)
def test_every_shipped_profile_loads_and_names_its_source(path):
    profile = load_profile(path.stem)
    assert profile.source[0].page


def test_the_e1210_is_as_its_manual_says():
    profile = load_profile("moxa-iologik-e1210")
    assert (profile.function, profile.address, profile.inputs) == (2, 0, 16)
    assert (profile.unit, profile.count) == (1, 16)


@pytest.mark.parametrize("function", [0, 5, 6, 15, 16, 22, 23])
def test_no_profile_can_ask_for_anything_but_a_read(tmp_path, function):
    path = written(tmp_path, GOOD.replace("function = 2", f"function = {function}"))
    with pytest.raises(ConfigError, match="function"):
        read_profile(path)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('maker = "M"', 'maker = ""', "maker"),
        ("inputs = 16", "inputs = 0", "inputs"),
        ("inputs = 16", "inputs = 2001", "inputs"),
        ("inputs = 16", "inputs = true", "inputs"),
        ("inputs = 16", 'inputs = "16"', "inputs"),
        ("address = 0", "address = 65536", "address"),
        ("address = 0", "address = 65521", "file"),
        ("address = 0", "address = 0\nwrites = 1", "writes"),
        ('page = "1"', "", "source.0.page"),
        ("inputs = 16", "inputs = ", "file"),
    ],
)
def test_a_fault_names_file_and_place(tmp_path, old, new, place):
    path = written(tmp_path, GOOD.replace(old, new))
    with pytest.raises(ConfigError) as caught:
        read_profile(path)
    assert caught.value.file == str(path)
    assert place in {fault.place for fault in caught.value.faults}


def test_every_fault_is_told_at_once(tmp_path):
    path = written(tmp_path, GOOD.replace("inputs = 16", "inputs = 0").replace("= 2", "= 9"))
    with pytest.raises(ConfigError) as caught:
        read_profile(path)
    assert {fault.place for fault in caught.value.faults} == {"function", "inputs"}


@pytest.mark.parametrize(("inputs", "address"), [(16, 65520), (2000, 0)])
def test_the_limits_are_allowed(tmp_path, inputs, address):
    text = GOOD.replace("inputs = 16", f"inputs = {inputs}")
    profile = read_profile(written(tmp_path, text.replace("address = 0", f"address = {address}")))
    assert (profile.inputs, profile.address) == (inputs, address)


@pytest.mark.parametrize(("inputs", "words"), [(1, 1), (16, 1), (17, 2), (2000, 125)])
def test_words_hold_sixteen_inputs_each(inputs, words):
    profile = Profile.model_validate(
        {
            "maker": "M",
            "model": "N",
            "function": 3,
            "address": 51,
            "inputs": inputs,
            "source": [{"manual": "Manual", "page": "1"}],
        }
    )
    assert profile.count == words


def test_a_file_without_end_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="longer than"):
        read_profile(written(tmp_path, "#" * (LONGEST_FILE_BYTES + 1)))


def test_a_file_that_is_not_text_is_refused(tmp_path):
    path = tmp_path / "unit.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="file"):
        read_profile(path)


def test_a_profile_that_is_not_there_is_said_to_be_so():
    with pytest.raises(IspsdError, match="no-such-unit"):
        load_profile("no-such-unit")


LOOPS = """
[loops]
counts_full = 65535
ma_at_zero = 0
ma_at_full = 20
closed_ma = [15, 17]
open_ma = [7, 9]
"""
GOOD_LOOPS = GOOD.replace("function = 2", "function = 4").replace("inputs = 16", "inputs = 4")


def test_the_loops_of_the_e1242_are_as_its_manual_says():
    profile = load_profile("moxa-iologik-e1242-loops")
    assert (profile.function, profile.address, profile.inputs) == (4, 0x0200, 4)
    assert profile.count == 4  # a word each, not sixteen in one
    assert profile.loops.current_ma(0) == 0.0
    assert profile.loops.current_ma(65535) == 20.0
    assert profile.loops.current_ma(65536) == math.inf


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("function = 4", "function = 2", "file"),
        ("inputs = 4", "inputs = 126", "file"),
        ("inputs = 4", "inputs = 4\ninverted = true", "file"),
        ("ma_at_zero = 0", "ma_at_zero = 5", "loops.ma_at_zero"),
        ("ma_at_full = 20", "ma_at_full = 19", "loops.ma_at_full"),
        ("counts_full = 65535", "counts_full = 0", "loops.counts_full"),
        ("closed_ma = [15, 17]", "closed_ma = [15]", "loops.closed_ma.1"),
        ("closed_ma = [15, 17]", "closed_ma = [9, 17]", "loops"),
        ("closed_ma = [15, 17]", "", "loops.closed_ma"),
        ("counts_full", "wire_ohm", "loops.wire_ohm"),
    ],
)
def test_a_fault_of_loops_names_file_and_place(tmp_path, old, new, place):
    text = (GOOD_LOOPS + LOOPS).replace(old, new)
    assert text != GOOD_LOOPS + LOOPS
    with pytest.raises(ConfigError) as caught:
        read_profile(written(tmp_path, text))
    assert place in {fault.place for fault in caught.value.faults}


def test_a_modular_unit_has_as_many_inputs_as_the_ship_says():
    wago = load_profile("wago-750-352")
    assert (wago.function, wago.address, wago.modular) == (2, 0, True)
    assert wago.fitted(inputs=40).inputs == 40
    assert wago.fitted() == wago


def test_the_bands_are_those_of_the_ships_own_resistors():
    profile = load_profile("moxa-iologik-e1242-loops").fitted(
        closed_ma=(6.0, 7.0), open_ma=(11.0, 13.0)
    )
    assert profile.loops.bands == LoopBands((6.0, 7.0), (11.0, 13.0))


@pytest.mark.parametrize(
    ("name", "own", "says"),
    [
        ("moxa-iologik-e1210", {"inputs": 8}, "a Moxa ioLogik E1210 always has 16"),
        ("moxa-iologik-e1210", {"open_ma": (7.0, 9.0)}, "open_ma: a Moxa .* has no loops"),
        ("moxa-iologik-e1242-loops", {"closed_ma": (8.0, 16.0)}, "the bands meet"),
        ("wago-750-352", {"inputs": 2001}, "less than or equal to 2000"),
    ],
)
def test_what_does_not_fit_a_model_is_refused_with_its_reason(name, own, says):
    with pytest.raises(ValueError, match=says):
        load_profile(name).fitted(**own)
