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


MAPS = {
    # As the makers' pages say: function and address of the first input, how many; unit id; counters; latches.
    "moxa-iologik-e1210": (2, 0, 16, 1, (4, 16, "high"), None),
    "moxa-iologik-e1212": (2, 0, 16, 1, (4, 16, "high"), None),
    "moxa-iologik-e1213": (2, 0, 12, 1, (4, 16, "high"), None),
    "moxa-iologik-e1214": (2, 0, 6, 1, (4, 16, "high"), None),
    "moxa-iologik-e1242": (2, 0, 8, 1, (4, 16, "high"), None),
    "moxa-iologik-e1242-loops": (4, 512, 4, 1, None, None),
    "moxa-iologik-e1260-resistance": (4, 1536, 6, 1, None, None),
    "advantech-adam-6050": (1, 0, 12, 1, (3, 0, "low"), None),
    "advantech-adam-6051": (1, 0, 12, 1, (3, 0, "low"), None),
    "advantech-adam-6052": (1, 0, 8, 1, (3, 0, "low"), None),
    "advantech-adam-6060": (1, 0, 6, 1, (3, 0, "low"), None),
    "advantech-adam-6066": (1, 0, 6, 1, (3, 0, "low"), None),
    "advantech-adam-4150": (1, 0, 7, 1, (3, 0, "low"), None),
    "wago-750-352": (2, 0, 16, 1, None, None),
    "icp-das-et-2260": (2, 0, 6, 1, None, (2, 0x20, 0x40)),
    "icp-das-et-7050": (2, 0, 12, 1, None, (2, 0x20, 0x40)),
    "beckhoff-bk9000": (2, 0, 16, 1, None, None),
    "siemens-logo-8": (2, 0, 24, 1, None, None),
    "akytec-mk210": (3, 51, 6, 1, None, None),
    "waveshare-rtu-relay-d": (2, 0, 8, 1, None, None),
    "waveshare-poe-eth-relay-b": (2, 0, 8, 1, None, None),
    "phoenix-il-eth-bk-di8-do4": (4, 8000, 8, 0, None, None),
}


def test_every_profile_is_the_makers_map():
    seen = {}
    for path in asset("devices").glob("*.toml"):
        p = load_profile(path.stem)
        counters = p.counters and (p.counters.function, p.counters.address, p.counters.first)
        latches = p.latches and (p.latches.function, p.latches.on_address, p.latches.off_address)
        seen[path.stem] = (p.function, p.address, p.inputs, p.unit, counters, latches)
    assert seen == MAPS


def test_what_the_e1242_says_of_its_loops_stands_where_its_manual_says():
    status = load_profile("moxa-iologik-e1242-loops").loops.status
    assert (status.function, status.address) == (4, 0x0240)  # 30577; AI 3 is 30580, 0x0243


MARKS = """
[counters]
function = 4
address = 16
[latches]
function = 2
on_address = 32
off_address = 64
"""


def test_a_counter_is_two_words_high_first_of_inputs_that_go_on_unless_told_otherwise(tmp_path):
    counters = read_profile(written(tmp_path, GOOD + MARKS)).counters
    assert (counters.words, counters.first, counters.edges) == (2, "high", "on")


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("function = 4", "function = 6", "counters.function"),
        ("address = 16", "address = 65520", "file"),
        ("address = 16", "address = 16\nwords = 3", "counters.words"),
        ("address = 16", 'address = 16\nfirst = "middle"', "counters.first"),
        ("on_address = 32", "on_address = 65530", "file"),
        ("off_address = 64", "off_address = 64\nclear_coil = 32", "latches.clear_coil"),
        ("inputs = 16", "inputs = 16\ninverted = true", "file"),
        ("inputs = 16", "inputs = 16\nmost_bits = 0", "most_bits"),
        ("inputs = 16", "inputs = 16\nmost_words = 126", "most_words"),
        ("inputs = 16", "inputs = 16\npause_s = 2", "pause_s"),
        ("inputs = 16", "inputs = 16\nsettle_s = -1", "settle_s"),
    ],
)
def test_a_fault_of_counters_or_latches_names_file_and_place(tmp_path, old, new, place):
    text = GOOD + MARKS
    assert old in text
    with pytest.raises(ConfigError) as caught:
        read_profile(written(tmp_path, text.replace(old, new, 1)))
    assert place in {fault.place for fault in caught.value.faults}


RESISTANCES = """
[resistances]
ohm_per_count = 0.1
counts_full = 65535
line = "tyco-rm-nc"
"""
GOOD_RESISTANCES = GOOD.replace("function = 2", "function = 4").replace("inputs = 16", "inputs = 4")


def test_a_word_at_the_end_of_the_scale_is_an_open_line(tmp_path):
    lines = read_profile(written(tmp_path, GOOD_RESISTANCES + RESISTANCES)).resistances
    assert (lines.ohm(10_000), lines.ohm(65535)) == (1000.0, math.inf)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('line = "tyco-rm-nc"', 'line = "mine"', "resistances.line"),
        ("function = 4", "function = 2", "file"),
        ("ohm_per_count = 0.1", "ohm_per_count = 0", "resistances.ohm_per_count"),
    ],
)
def test_a_fault_of_resistances_names_file_and_place(tmp_path, old, new, place):
    text = (GOOD_RESISTANCES + RESISTANCES).replace(old, new)
    with pytest.raises(ConfigError) as caught:
        read_profile(written(tmp_path, text))
    assert place in {fault.place for fault in caught.value.faults}


def test_loops_and_resistances_are_not_on_one_unit(tmp_path):
    with pytest.raises(ConfigError, match="not both"):
        read_profile(written(tmp_path, GOOD_LOOPS + LOOPS + RESISTANCES))


def test_the_resistors_are_those_of_the_ship():
    profile = load_profile("moxa-iologik-e1260-resistance").fitted(line="tyco-rm-no")
    assert profile.resistances.line == "tyco-rm-no"
    with pytest.raises(ValueError, match="measures no resistance"):
        load_profile("moxa-iologik-e1210").fitted(line="tyco-rm-no")
