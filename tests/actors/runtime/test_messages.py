"""Messages, and the answer that someone waits for."""

from __future__ import annotations

import asyncio

import pytest

from aybiza.actors.runtime import From, Pid
from aybiza.actors.runtime.messages import Call, Cast, System


async def test_the_first_answer_counts_and_later_ones_are_dropped() -> None:
    future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    from_ = From(Pid("n", 1), future)
    assert from_.waiting
    from_.answer("first")
    from_.answer("second")
    from_.fail(ValueError("third"))
    assert not from_.waiting
    assert await future == "first"


async def test_a_failure_is_raised_in_the_caller() -> None:
    future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    From(None, future).fail(LookupError("gone"))
    with pytest.raises(LookupError, match="gone"):
        await future


async def test_an_answer_to_a_caller_who_gave_up_is_dropped() -> None:
    future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    future.cancel()
    From(None, future).answer("late")
    assert future.cancelled()


def test_requests_show_what_they_carry() -> None:
    assert repr(Call(None, None, "ping")) == "Call('ping')"
    assert repr(Cast(("say", 1))) == "Cast(('say', 1))"
    assert repr(System(None, None, "terminate", "why")) == "System('terminate')"


def test_an_answer_that_nobody_waits_for_is_dropped() -> None:
    for message in (From(None, None), Call(None, None, "ping")):
        message.answer("x")
        message.fail(ValueError())
        assert not message.waiting
