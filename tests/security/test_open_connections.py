"""Who has very many addresses takes the places of nobody else."""

from __future__ import annotations

import asyncio

import pytest

from aybiza.actors.runtime import virtual_time
from aybiza.gateway.admission.admission import Admission
from aybiza.gateway.admission.waiting_room import IN_ALL, OF_ADDRESS
from tests.gateway.admission.test_waiting_room import Transport


@pytest.mark.parametrize(
    "address",
    [
        "2001:db8::{:x}",  # a customer's own 2**64 addresses
        "2001:db8::{:x}%eth0",
        "::ffff:203.0.113.9",  # one address, written in two ways
    ],
)
@virtual_time
async def test_one_customers_addresses_are_one_address(address: str) -> None:
    room = Admission().room
    honest = Transport()
    room.enter("http", "198.51.100.7", honest)
    held = [Transport() for _ in range(2 * IN_ALL)]
    for number, transport in enumerate(held):
        written = address.format(number) if number % 2 else address.format(number).upper()
        room.enter("http", written.replace("::FFFF:", ""), transport)
    assert not honest.aborted
    assert sum(not transport.aborted for transport in held) == OF_ADDRESS
    await asyncio.sleep(60)
    assert len(room) == 0
