"""What one node of a cluster has taken is not taken by another while the call goes on there."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from aybiza.actors.cluster.distribution import Distribution
from aybiza.actors.runtime import VM, Pid
from aybiza.emulators.phone.webhook import signature
from aybiza.gateway.admission.admission import Admission
from aybiza.gateway.admission.rules import Knock, Rules
from aybiza.gateway.arrival import Arrival
from aybiza.gateway.carriers.codec import MULAW_8000_MONO, ProtocolError, Start
from tests.actors.cluster.kit import Probe, cluster, until
from tests.gateway.admission.carrier_keys import TELNYX_KEY, telnyx_headers
from tests.security.doors import BASE, CALL, FORM, SIGNALWIRE_KEY, STRANGER, TOKEN

KEY = b"k" * 32
RULES = Rules(
    http_base=BASE,
    auth_token=TOKEN,
    telnyx_public_key=TELNYX_KEY,
    signalwire_signing_key=SIGNALWIRE_KEY,
    stream_tokens=True,
)
BODY = str(httpx.QueryParams(FORM)).encode()
BRANCHES = {"twilio": "/incoming", "signalwire": "/incoming/signalwire"}
OK, REPEATED = None, 409


class Node:
    """The doors of one node, and the process that reads a stream there."""

    def __init__(self, vm: VM) -> None:
        self.vm = vm
        self.admission = Admission(RULES, keys=[KEY], vm=vm)

    async def webhook(
        self, path: str, headers: Mapping[str, str], body: bytes = BODY
    ) -> int | None:
        """The status of the refusal, None where it is taken."""
        knock = Knock(STRANGER, True, path, path.partition("?")[0], headers)
        refusal = await self.admission.webhook(knock, body)
        return refusal.status if refusal else None

    async def signed(self, query: str = "", carrier: str = "twilio") -> int | None:
        """A webhook with this query, as the carrier has signed it."""
        path = BRANCHES[carrier] + query
        key = TOKEN if carrier == "twilio" else SIGNALWIRE_KEY
        seal = signature(key, BASE + path, FORM)
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return await self.webhook(path, headers | {f"x-{carrier}-signature": seal})

    def answer(self, carrier: str = "twilio") -> tuple[dict[str, str], str]:
        """The stream's parameters, and the query of the way back."""
        told = {name: FORM[name] for name in ("From", "To")}
        given = told | self.admission.parameters(CALL, carrier, FORM["AccountSid"], told)
        return given, "?" + Arrival().back(time.time(), "a")

    async def stream(self, given: Mapping[str, str], carrier: str = "twilio") -> Any:
        """A process of this node that has a stream with these parameters, which ends with it; or
        why it gets none."""
        pid: Any = await self.vm.start(Probe)
        start = Start("MZ1", CALL, FORM["AccountSid"], ("inbound",), MULAW_8000_MONO, dict(given))

        async def begin(_: Probe) -> str:
            try:
                self.admission.visit(STRANGER, carrier=carrier).start(start)
            except ProtocolError as error:
                return error.reason
            return ""

        refused = await self.vm.call(pid, ("run", begin))
        return refused or pid


@asynccontextmanager
async def two_nodes() -> AsyncIterator[tuple[Node, Node, list[Distribution]]]:
    async with cluster("a", "b") as (_, joined):
        yield Node(joined[0].vm), Node(joined[1].vm), joined


async def known(at: Distribution) -> None:
    await until(lambda: len(at.groups.groups()) == 2)


@pytest.mark.parametrize("carrier", BRANCHES)
async def test_a_recorded_webhook_is_not_taken_at_another_node(carrier: str) -> None:
    async with two_nodes() as (here, other, joined):
        assert await here.signed(carrier=carrier) is OK
        given, back = here.answer(carrier)
        stream = await here.stream(given, carrier)
        await known(joined[1])
        assert await other.signed(carrier=carrier) == REPEATED
        # The carrier sees the stream broken, which the node has not seen.
        assert await other.signed(back, carrier) is OK
        # A recorded way back from an earlier line.
        assert await other.signed("?again=1&at=1700000000&node=a", carrier) == REPEATED
        await here.vm.stop(stream)
        await until(lambda: not joined[1].groups.groups())
        assert await other.signed(carrier=carrier) is OK


async def test_what_telnyx_has_signed_before_the_line_is_not_taken_at_another_node() -> None:
    async with two_nodes() as (here, other, joined):
        path = "/incoming/telnyx"
        before = telnyx_headers(BODY, time.time() - 1)
        assert await here.webhook(path, before) is OK
        given, back = here.answer("telnyx")
        await here.stream(given, "telnyx")
        await known(joined[1])
        # No address is signed: who sends it chooses one, and a node takes one for each signature.
        for at in (back, "?again=1", f"?again=1&at={int(time.time()) + 9}"):
            another = Node(other.vm)
            assert await another.webhook(f"{path}{at}", before) == REPEATED
        after = telnyx_headers(BODY, time.time() + 2)
        assert await other.webhook(f"{path}{back}", after) is OK


async def test_a_token_that_one_node_has_taken_is_not_taken_by_another() -> None:
    async with two_nodes() as (here, other, joined):
        await here.signed()
        given, _ = here.answer()
        await here.stream(given)
        await known(joined[1])
        assert await other.stream(given) == "the stream's token is used at another node"
        other.admission._tokens._clock = lambda: time.time() + 2
        newer, _ = other.answer()
        assert isinstance(await other.stream(newer), Pid)


async def test_how_a_placed_call_goes_is_told_to_any_node_while_its_line_is_at_one() -> None:
    async with two_nodes() as (here, other, joined):
        await here.signed()
        await here.stream(here.answer()[0])
        await known(joined[1])
        query = here.admission.seals.sealed({"attempt": "a1"}, "twilio", FORM["AccountSid"])
        path = f"/incoming/placed/status?{query}"
        seal = signature(TOKEN, BASE + path, FORM)
        assert await other.webhook(path, {"x-twilio-signature": seal}) is OK
