"""The event loop of a node, in a thread beside the actor's own, and the way back to the actor.

Thespian's `send` may only be used on the actor's thread. So what the loop has to say goes into an
Outbox: a bounded queue, and a socketpair whose reading end the actor watches. What the actor has
to say goes to the loop through `call_soon_threadsafe`. The thread is started after the fork that
made the process; no process is forked afterwards.
"""

import asyncio
import contextlib
import os
import socket
import sys
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog

from aybiza.actors.node.carrier import NodeCarrier
from aybiza.actors.node.context import NodeContext, NodeMain
from aybiza.actors.node.messages import (
    ControlReply,
    ForwardedRequest,
    Heartbeat,
    NodeDraining,
    NodeEnded,
    NodeReady,
)
from aybiza.actors.runtime.loops import new_event_loop

log = structlog.get_logger(__name__)

HEARTBEAT_INTERVAL = 0.5
"""Seconds between two heartbeats of the loop."""
SWITCH_SECONDS = 0.0005
"""For so long a thread of a provider's keeps the loop from running, or the loop it: Python's own 5
ms are a sixth of what a caller waits for us, and each hand-over to a busy loop would cost them."""
MAX_CONTROL_REQUESTS = 32
"""Control requests in work at one time; more are refused."""
TIDY_LIMIT = 1.0
"""Seconds that tasks left behind by the main get to end once they are cancelled."""


class Outbox:
    """Messages from the loop's thread to the actor's.

    Bounded: what is too much is dropped and logged.
    """

    def __init__(self, capacity: int = 20_000) -> None:
        self._capacity = capacity
        self._messages: deque[Any] = deque()
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)

    def fileno(self) -> int:
        """The descriptor that is readable while messages wait."""
        return self._reader.fileno()

    def put(self, message: Any) -> None:
        """Leave a message for the actor. Never blocks."""
        if len(self._messages) >= self._capacity:
            log.error(
                "node_message_dropped", message=type(message).__name__, waiting=self._capacity
            )
            return
        self._messages.append(message)
        # A full socket means that the actor has been woken often enough and has yet to come.
        with contextlib.suppress(BlockingIOError):
            self._writer.send(b"\0")

    def take(self) -> list[Any]:
        """All messages that wait, oldest first."""
        with contextlib.suppress(BlockingIOError):
            self._reader.recv(65536)
        return [self._messages.popleft() for _ in range(len(self._messages))]

    def close(self) -> None:
        """Give the descriptors back; the outbox must not be used afterwards."""
        self._reader.close()
        self._writer.close()


class LoopThread:
    """Runs a node main on a loop of its own until it ends.

    Reports NodeReady, Heartbeat, NodeDraining and, last of all, NodeEnded.
    """

    def __init__(
        self,
        main: NodeMain,
        incarnation: int,
        outbox: Outbox,
        node: str = "",
        carrier: NodeCarrier | None = None,
        shared: Mapping[str, int] = {},
    ) -> None:
        self._main = main
        self._incarnation = incarnation
        self._outbox = outbox
        self._node = node
        self._carrier = carrier
        self._loop = new_event_loop()
        self._context = NodeContext(
            incarnation=incarnation,
            settings=dict(os.environ),
            on_ready=self._ready,
            on_draining=self._draining,
            carrier=carrier,
            shared=shared,
        )
        self._requests: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, name="node-loop", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, *, at_once: bool = False) -> None:
        """Tell the main to end in order; from any thread, any number of times.

        `at_once`: without time for its calls.
        """
        self._call(self._stop, at_once)

    def _stop(self, at_once: bool) -> None:
        self._context.at_once = at_once
        self._context.stop.set()

    def join(self, limit: float) -> None:
        """Wait until the main has ended, at most `limit` seconds."""
        self._thread.join(limit)

    def handle(self, forwarded: ForwardedRequest) -> None:
        """Have a control request answered.

        The outbox gets (client, the handler's answer) or (client, ControlReply with an error).
        """
        self._call(self._accept, forwarded)

    def receive(self, message: Any, sender: Any) -> None:
        """Give the loop a message of another node, or of any Thespian program."""
        if self._carrier is not None:
            self._call(self._carrier.receive, message, sender)

    def _call(self, function: Callable[..., object], *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:
            log.debug("node_loop_closed")  # the main has ended, and NodeEnded is on its way

    def _ready(self, info: dict[str, str]) -> None:
        self._outbox.put(NodeReady(self._incarnation, info, self._node))

    def _draining(self, seconds: float) -> None:
        self._outbox.put(NodeDraining(self._incarnation, seconds, self._node))

    def _run(self) -> None:
        sys.setswitchinterval(SWITCH_SECONDS)
        asyncio.set_event_loop(self._loop)
        reason: str | None = None
        try:
            self._loop.run_until_complete(self._carry())
        except BaseException as error:
            reason = describe_error(error)
            if _is_for_people(error):  # its words say all; where it was raised, nothing
                log.error("node_main_failed", incarnation=self._incarnation, why=reason)
            else:
                log.exception("node_main_failed", incarnation=self._incarnation)
        finally:
            self._tidy()
            self._outbox.put(NodeEnded(self._incarnation, reason, self._node))

    async def _carry(self) -> None:
        heart = asyncio.create_task(self._beat(), name="node-heartbeat")
        try:
            if self._carrier is not None:
                await self._carrier.open()
            await self._main(self._context)
        finally:
            heart.cancel()
            if self._carrier is not None:
                await self._carrier.close()

    async def _beat(self) -> None:
        while True:
            self._outbox.put(Heartbeat(self._incarnation, self._node))
            await asyncio.sleep(HEARTBEAT_INTERVAL)

    def _tidy(self) -> None:
        try:
            left = asyncio.all_tasks(self._loop)
            for task in left:
                task.cancel()
            if left:
                self._loop.run_until_complete(asyncio.wait(left, timeout=TIDY_LIMIT))
            names = [task.get_name() for task in left if not task.done()]
            if names:
                log.warning("node_tasks_left", tasks=names)
            generators = self._loop.shutdown_asyncgens()
            self._loop.run_until_complete(asyncio.wait_for(generators, TIDY_LIMIT))
        except Exception:
            log.exception("node_loop_not_tidy")
        finally:
            self._loop.close()

    def _accept(self, forwarded: ForwardedRequest) -> None:
        if len(self._requests) >= MAX_CONTROL_REQUESTS:
            refusal = ControlReply(error=f"the node is busy with {MAX_CONTROL_REQUESTS} requests")
            self._outbox.put((forwarded.client, refusal))
            return
        task = self._loop.create_task(self._answer(forwarded), name="node-control")
        self._requests.add(task)
        task.add_done_callback(self._requests.discard)

    async def _answer(self, forwarded: ForwardedRequest) -> None:
        request = forwarded.request
        reply: dict[str, Any] | None = None
        error: str | None = None
        try:
            async with asyncio.timeout(request.limit):
                reply = await self._ask_control(dict(request.request))
        except TimeoutError:
            error = f"the node did not answer within {request.limit:g} s"
        except ValueError as refusal:
            # By the contract of `control`: what was asked cannot be done; nothing is broken here.
            error = str(refusal) or "the node refuses the request"
            log.info("control_request_refused", op=request.request.get("op"), why=error)
        except Exception as failure:
            log.exception("control_request_failed")
            error = describe_error(failure)
        self._outbox.put((forwarded.client, reply if error is None else ControlReply(error=error)))

    def _ask_control(self, request: dict[str, Any]) -> Awaitable[dict[str, Any]]:
        if self._context.control is None:
            raise LookupError("the node does not serve control requests")
        return self._context.control(request)


def _is_for_people(error: BaseException) -> bool:
    """Whether an exception's class says (`for_people`) that its text is a whole answer."""
    return getattr(type(error), "for_people", False) is True


def describe_error(error: BaseException) -> str:
    """An exception in one line; a group by its first leaf.

    >>> describe_error(ValueError("too long"))
    'ValueError: too long'
    """
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    text = str(error).strip()
    if text and _is_for_people(error):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
