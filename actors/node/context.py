"""What runs inside a node, and what it is given.

A node main is a coroutine function `async def main(context: NodeContext) -> None`, named as
"module:function" so that this floor imports nothing above it. Contract: it opens its doors, calls
`context.ready`, waits for `context.stop`, closes everything in order and returns. Raising, or
returning before it was told to stop, is a crash: the keeper starts the node anew.
"""

import asyncio
import importlib
import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aybiza.actors.cluster.carrier import Carrier

ControlHandler = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
"""Answers a request of a command-line tool; both are plain JSON data."""


class NodeContext:
    """A node main's side of its node. All of it belongs to the loop: call it from there only."""

    def __init__(
        self,
        *,
        incarnation: int,
        settings: Mapping[str, str],
        on_ready: Callable[[dict[str, str]], None],
        on_draining: Callable[[float], None] = lambda _seconds: None,
        carrier: Carrier | None = None,
        shared: Mapping[str, int] = {},
    ) -> None:
        self.incarnation = incarnation
        """The number of this start, from 1."""
        self.settings = settings
        """The environment of the node."""
        self.carrier = carrier
        """The way to the other nodes (`aybiza.actors.cluster`); None for a node that stands
        alone."""
        self.shared = shared
        """Descriptors of listening sockets, `http` and `media`, that all nodes of the machine
        accept from (`aybiza run --cores`); none for nodes that share none."""
        self.stop = asyncio.Event()
        """Set when the node is to end."""
        self.at_once = False
        """Whether there is no time to drain, when `stop` is set."""
        self.control: ControlHandler | None = None
        """The handler that `serve` has registered."""
        self._on_ready = on_ready
        self._on_draining = on_draining

    def ready(self, info: Mapping[str, str]) -> None:
        """Say that the doors are open. `info` names them for people, such as {"http": "http://127.0.0.1:3000"};
        it is printed in its order, `node` last."""
        self._on_ready({str(name): str(value) for name, value in info.items()})

    def draining(self, seconds: float) -> None:
        """Say, after `stop`, that the node needs up to so long for its calls before it ends."""
        self._on_draining(seconds)

    def serve(self, handler: ControlHandler) -> None:
        """Let `handler` answer control requests. It runs as a task of its own, bounded in time."""
        self.control = handler


NodeMain = Callable[[NodeContext], Awaitable[None]]


class NodeMainError(ValueError):
    """There is no node main of this name; the message is for people."""


def load_node_main(name: str) -> NodeMain:
    """Import the coroutine function that `name` ("module:function") stands for.

    Raises NodeMainError if the name is not of that form or there is no such function; what the
    module itself raises when it is imported passes.
    """
    module_name, colon, function_name = name.partition(":")
    if not (colon and module_name and function_name):
        raise NodeMainError(f"node main {name!r} is not of the form module:function")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if not f"{module_name}.".startswith(f"{error.name}."):
            raise  # a module that it imports is what is missing
        raise NodeMainError(f"node main {name!r}: there is no module {error.name}") from None
    function = getattr(module, function_name, None)
    if not inspect.iscoroutinefunction(function):
        raise NodeMainError(
            f"node main {name!r}: {module_name} has no coroutine function {function_name}"
        )
    main: NodeMain = function
    return main
