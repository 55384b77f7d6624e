"""A node main on the loop's thread, seen from the actor's."""

import asyncio
import select
import time
from collections.abc import Callable
from typing import Any

import pytest

from aybiza.actors.node.context import NodeContext, NodeMain
from aybiza.actors.node.loop_thread import (
    MAX_CONTROL_REQUESTS,
    LoopThread,
    Outbox,
    describe_error,
)
from aybiza.actors.node.messages import (
    ControlReply,
    ControlRequest,
    ForwardedRequest,
    Heartbeat,
    NodeDraining,
    NodeEnded,
    NodeReady,
)

LIMIT = 20.0


class Actor:
    """The actor's side: takes what comes out of the outbox."""

    def __init__(self, main: NodeMain) -> None:
        self.outbox = Outbox()
        self.thread = LoopThread(main, 3, self.outbox)
        self.thread.start()
        self._taken: list[Any] = []

    def receive(self, wanted: Callable[[Any], bool]) -> Any:
        """The next message that is wanted; others are dropped."""
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            while self._taken:
                if wanted(message := self._taken.pop(0)):
                    return message
            select.select([self.outbox], [], [], 1)
            self._taken = self.outbox.take()
        raise AssertionError("the message did not come")

    def ended(self) -> NodeEnded:
        message = self.receive(lambda message: isinstance(message, NodeEnded))
        self.thread.join(LIMIT)
        self.outbox.close()
        assert isinstance(message, NodeEnded)
        return message

    def reply(self, client: str) -> Any:
        return self.receive(lambda message: isinstance(message, tuple) and message[0] == client)[1]

    def ask(self, client: str, request: dict[str, Any], limit: float = LIMIT) -> None:
        self.thread.handle(ForwardedRequest(ControlRequest(request, limit), client))


async def waiting(context: NodeContext) -> None:
    context.ready({"http": "here"})
    await context.stop.wait()


def test_ready_heartbeat_and_an_orderly_end_are_reported() -> None:
    actor = Actor(waiting)
    assert actor.receive(lambda message: isinstance(message, NodeReady)) == NodeReady(
        3, {"http": "here"}
    )
    for _ in range(2):
        assert actor.receive(lambda message: isinstance(message, Heartbeat)) == Heartbeat(3)
    actor.thread.stop()
    assert actor.ended() == NodeEnded(3, None)


def test_an_exception_of_the_main_is_the_reason_of_the_end() -> None:
    async def main(_context: NodeContext) -> None:
        raise RuntimeError("the roof is on fire")

    assert Actor(main).ended() == NodeEnded(3, "RuntimeError: the roof is on fire")


def test_an_exit_from_the_main_is_reported_like_an_exception() -> None:
    async def main(_context: NodeContext) -> None:
        raise SystemExit(4)

    assert Actor(main).ended() == NodeEnded(3, "SystemExit: 4")


def test_tasks_that_the_main_leaves_behind_are_cancelled() -> None:
    left: list[asyncio.Task[None]] = []

    async def main(_context: NodeContext) -> None:
        left.append(asyncio.create_task(asyncio.sleep(3600)))

    assert Actor(main).ended().reason is None
    assert left[0].cancelled()


def test_a_control_request_is_answered_on_the_loop() -> None:
    async def main(context: NodeContext) -> None:
        async def control(request: dict[str, Any]) -> dict[str, Any]:
            return {"loop": asyncio.get_running_loop() is loop, **request}

        loop = asyncio.get_running_loop()
        context.serve(control)
        await waiting(context)

    actor = Actor(main)
    actor.receive(lambda message: isinstance(message, NodeReady))
    actor.ask("a client", {"what": "tree"})
    assert actor.reply("a client") == {"loop": True, "what": "tree"}
    actor.thread.stop()
    actor.ended()


def test_a_control_request_without_a_handler_is_refused() -> None:
    actor = Actor(waiting)
    actor.receive(lambda message: isinstance(message, NodeReady))
    actor.ask("a client", {})
    assert actor.reply("a client") == ControlReply(
        error="LookupError: the node does not serve control requests"
    )
    actor.thread.stop()
    actor.ended()


def test_control_requests_beyond_the_limit_are_refused_and_others_time_out() -> None:
    async def main(context: NodeContext) -> None:
        async def control(_request: dict[str, Any]) -> dict[str, Any]:
            await asyncio.sleep(3600)
            return {}

        context.serve(control)
        await waiting(context)

    actor = Actor(main)
    actor.receive(lambda message: isinstance(message, NodeReady))
    actor.ask("the first", {}, limit=1)
    for number in range(1, MAX_CONTROL_REQUESTS):
        actor.ask(f"client {number}", {})
    actor.ask("one too many", {})
    assert actor.reply("one too many") == ControlReply(error="the node is busy with 32 requests")
    assert actor.reply("the first") == ControlReply(error="the node did not answer within 1 s")
    actor.thread.stop()
    assert actor.ended().reason is None


def test_a_main_with_calls_asks_for_time() -> None:
    async def draining(context: NodeContext) -> None:
        await context.stop.wait()
        context.draining(60.0)

    actor = Actor(draining)
    actor.thread.stop()
    asked = actor.receive(lambda message: isinstance(message, NodeDraining))
    assert asked == NodeDraining(3, 60.0)
    assert actor.ended().reason is None


def test_an_end_at_once_leaves_no_time_for_calls() -> None:
    async def telling(context: NodeContext) -> None:
        await context.stop.wait()
        context.ready({"at_once": str(context.at_once)})

    for at_once in (False, True):
        actor = Actor(telling)
        actor.thread.stop(at_once=at_once)
        ready = actor.receive(lambda message: isinstance(message, NodeReady))
        assert ready.info == {"at_once": str(at_once)}
        actor.ended()


def test_requests_after_the_end_are_without_effect() -> None:
    actor = Actor(waiting)
    actor.thread.stop()
    actor.ended()
    actor.ask("a client", {})
    actor.thread.stop()


def test_an_outbox_keeps_the_order_and_drops_what_is_too_much() -> None:
    outbox = Outbox(capacity=3)
    for number in range(5):
        outbox.put(number)
    assert select.select([outbox], [], [], 0)[0] == [outbox]
    assert outbox.take() == [0, 1, 2]
    assert select.select([outbox], [], [], 0)[0] == []
    outbox.put(5)
    assert outbox.take() == [5]
    outbox.close()


def test_an_outbox_never_blocks_its_writer() -> None:
    outbox = Outbox(capacity=1_000_000)
    for number in range(20_000):
        outbox.put(number)
    assert outbox.take() == list(range(20_000))
    outbox.close()


class ForPeople(Exception):
    """An error whose words are whole sentences."""

    for_people = True


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(98, "in use"), "OSError: [Errno 98] in use"),
        (ForPeople("the key is not the certificate's"), "the key is not the certificate's"),
        (TimeoutError(), "TimeoutError"),
        (ExceptionGroup("x", [ExceptionGroup("y", [KeyError("z")])]), "KeyError: 'z'"),
    ],
)
def test_an_error_in_one_line(error: Exception, words: str) -> None:
    assert describe_error(error) == words
