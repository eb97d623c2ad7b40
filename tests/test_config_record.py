"""Where may the record, its second copy and its key lie, and whose retention counts?"""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon import config
from daemon.config.advice import advice
from daemon.errors import ConfigError

THIN = Path(__file__).parent / "data" / "thin_ship.toml"


def with_record(tmp_path: Path, *settings: str) -> Path:
    """Return a thin ship's file that says more in its section [record]."""
    path = tmp_path / "ispsd.toml"
    lines = "\n".join(("[record]", *settings))
    path.write_text(THIN.read_text("utf-8").replace("[record]", lines, 1), "utf-8")
    return path


@pytest.mark.parametrize(
    "copies",
    [
        "/var/lib/ispsd/record",
        "/var/lib/ispsd/./record/",
        "/var/lib/ispsd/record/copies",
        "/var/lib/ispsd",
        "/srv/../var/lib/ispsd/record",
    ],
)
def test_the_second_copy_and_the_record_lie_apart(tmp_path, copies):
    with pytest.raises(ConfigError) as caught:
        config.load(with_record(tmp_path, f'copy_directory = "{copies}"'))
    [fault] = caught.value.faults
    assert fault.place == "record.copy_directory"
    assert "neither may lie in the other" in fault.reason


def test_a_second_copy_beside_the_record_is_let_in(tmp_path):
    ship = config.load(with_record(tmp_path, 'copy_directory = "/var/lib/ispsd/record-copy"'))
    assert ship.record.copy_directory == Path("/var/lib/ispsd/record-copy")


def test_the_key_has_a_file_of_its_own(tmp_path):
    path = with_record(tmp_path)
    text = path.read_text("utf-8")
    path.write_text(text.replace("/var/lib/ispsd/record-key.pem", "/var/lib/ispsd/record"), "utf-8")
    with pytest.raises(ConfigError, match=r"record\.key_file: .* is the record's folder"):
        config.load(path)


def test_a_flag_that_is_not_in_the_table_is_pointed_out(tmp_path):
    said = list(advice(config.load(with_record(tmp_path, 'flag = "liberia"'))))
    assert "record.flag: no retention of 'liberia' is known: that of 'default' counts" in said
    for flag in ("uk", "default"):
        assert not [
            line
            for line in advice(config.load(with_record(tmp_path, f'flag = "{flag}"')))
            if line.startswith("record.flag")
        ]
