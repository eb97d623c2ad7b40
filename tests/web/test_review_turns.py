"""Whose login is asked next: one place waits for itself alone."""

from __future__ import annotations

import asyncio

import pytest

from daemon.errors import RefusedError
from daemon.web.review.turns import MOST_OF_A_PLACE, Turns
from tests.soon import soon


async def waiting(turns: Turns, address: str) -> None:
    async with turns.of(address):
        pass


async def test_the_addresses_of_one_subnet_of_ipv6_are_one_place():
    turns = Turns()
    async with turns.of("fd00:60::1"):
        others = [
            asyncio.ensure_future(waiting(turns, f"fd00:60::{number:x}"))
            for number in range(2, MOST_OF_A_PLACE + 1)
        ]
        await soon(lambda: turns._places["fd00:60::"].here == MOST_OF_A_PLACE)
        with pytest.raises(RefusedError):
            await waiting(turns, "fd00:60::ffff")
        await waiting(turns, "fd00:61::1")
    for each in others:
        await each
