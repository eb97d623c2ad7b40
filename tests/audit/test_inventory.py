"""Is everything that runs aboard pinned and free, and would the audit say so if it were not?"""

from __future__ import annotations

from email.message import Message

import pytest

from tests.audit import inventory
from tests.audit.inventory import Package, binding, bundle, is_permissive, unlocked, unpinned

PINNED = {"alpha": "1.0", "beta": "2.0"}


def package(name="alpha", version="1.0", licence="MIT"):
    return Package(name, version, licence)


def test_everything_that_runs_aboard_is_pinned_at_the_version_that_is_here():
    pinned = inventory.pins((inventory.ROOT / "constraints.txt").read_text("utf-8"))
    aboard = inventory.installed(inventory.RUN_TIME)
    assert {"aiohttp", "apsw", "cryptography", "iotcore", "pyserial", "typst"} <= aboard.keys()
    assert {"pytest", "ruff", "pip-audit"}.isdisjoint(aboard)
    assert unpinned(aboard, pinned, beside=frozenset(pinned)) == []


def test_everything_that_runs_aboard_asks_for_no_more_than_a_notice():
    bundled = inventory.bundle(inventory.NOTICES.read_text("utf-8"))
    aboard = inventory.installed(inventory.RUN_TIME)
    assert binding([*aboard.values(), *bundled.values()]) == []
    by_hand = [each for each in aboard.values() if binding([each], read={})]
    assert {each.name for each in by_hand} == inventory.READ_BY_HAND.keys()


def test_the_page_has_in_it_what_its_lock_file_says():
    bundled = inventory.bundle(inventory.NOTICES.read_text("utf-8"))
    lock = inventory.locked((inventory.FRONT / "package-lock.json").read_text("utf-8"))
    assert {"mqtt", "@oicl/openbridge-webcomponents", "@babel/runtime"} <= bundled.keys()
    assert unlocked(bundled, lock) == []
    assert unlocked(bundled, lock | {"mqtt": "5.0.0"}) == [
        f"the page has mqtt {bundled['mqtt'].version} in it, locked is 5.0.0"
    ]


def test_the_extras_of_the_package_are_those_that_it_is_built_with():
    script = (inventory.ROOT / "debian/build.py").read_text("utf-8")
    assert f'EXTRAS = "{",".join(inventory.PACKAGED)}"' in script


@pytest.mark.parametrize(
    ("needed", "fault"),
    [
        ([package(), package("beta", "2.0")], None),
        ([package(version="1.1"), package("beta", "2.0")], "alpha 1.1 is installed, pinned is 1.0"),
        (
            [package(), package("beta", "2.0"), package("gamma", "3.0")],
            "gamma 3.0 is installed, pinned it is not",
        ),
        ([package()], "beta is pinned, and nothing needs it"),
        ([package(), package("beta", "2.0"), package("pip", "23.0")], None),
    ],
)
def test_what_is_installed_and_what_is_pinned_are_the_same_both_ways(needed, fault):
    found = unpinned({each.name: each for each in needed}, PINNED)
    assert found == ([fault] if fault else [])


def test_a_pin_of_what_builds_the_wheel_is_not_stale():
    assert unpinned({}, {"hatchling": "1.0"}) == []
    assert unpinned({}, {"hatchling": "1.0"}, beside=frozenset()) != []


def test_pins_are_read_whatever_the_spelling_of_the_name():
    assert inventory.pins("# why\nTyping_Extensions==4.0\nX.Y==1!2.0  # epoch\n\n") == {
        "typing-extensions": "4.0",
        "x-y": "1!2.0",
    }


@pytest.mark.parametrize(
    ("licence", "free"),
    [
        ("MIT", True),
        ("Apache-2.0 AND MIT", True),
        ("EPL-2.0 OR BSD-3-Clause", True),
        ("LGPL-3.0-only OR GPL-3.0-only", False),
        ("MIT AND GPL-3.0-or-later", False),
        ("GNU General Public License v3 or later (GPLv3+) AND MIT License", False),
        ("AGPL-3.0-only", False),
        ("Mozilla Public License 2.0 (MPL 2.0)", False),
        ("any-OSI", False),
        ("MITnot", False),
        ("(MIT OR GPL-3.0-only) AND GPL-3.0-only", False),
        ("", False),
    ],
)
def test_only_what_is_on_the_permissive_list_is_free(licence, free):
    assert is_permissive(licence) is free
    assert bool(binding([package(licence=licence)])) is not free


def test_what_was_read_by_hand_holds_for_what_the_package_said_then():
    read = {"alpha": ("any-OSI", "we choose")}
    assert binding([package(licence="any-OSI")], read=read) == []
    assert binding([package(licence="Proprietary")], read=read) != []
    assert binding([package("beta", licence="any-OSI")], read=read) != []


@pytest.mark.parametrize(
    ("said", "licence"),
    [
        ({"License-Expression": ["MIT"], "License": ["GPL"]}, "MIT"),
        (
            {"Classifier": ["License :: OSI Approved :: MIT License", "Typing :: Typed"]},
            "MIT License",
        ),
        (
            {"Classifier": ["License :: OSI Approved :: MIT License", "License :: Other"]},
            "MIT License AND Other",
        ),
        ({"Classifier": ["License :: OSI Approved"], "License": ["Apache-2.0"]}, "Apache-2.0"),
        ({}, ""),
    ],
)
def test_a_licence_is_taken_from_where_the_package_says_it_best(said, licence):
    about = Message()
    for name, values in said.items():
        for value in values:
            about[name] = value
    assert inventory.said_licence(about) == licence


def test_every_head_of_a_notice_is_a_package():
    notices = (
        "Ours.\n\nIcons, from @a/icons 0.0.1 (Apache-2.0)\n\nwords 1 (of them)\n\n"
        "b_c 2.0.0-rc.1 (MIT)\n\nCopyright (c) 2020 (somebody)\n"
    )
    assert bundle(notices) == {
        "@a/icons": Package("@a/icons", "0.0.1", "Apache-2.0"),
        "b_c": Package("b_c", "2.0.0-rc.1", "MIT"),
    }
