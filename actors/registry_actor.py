"""`RegistryActor`: the names of this node, and its PubSub.

Keeps two tables of the VM, which outlive it: `registry` with unique keys, for `Via` names, and
`pubsub` with duplicate keys, for topics. Reading and registering need no request: the functions
of this module and `VM` work on the tables, also while the actor is being restarted. Who wants to
ask an actor may; the sender is the process that is registered. Requests:

=================================  ===========================================================
`("register", key, value)`         `("ok", pid)` or `("error", ("already_registered", owner))`
`("unregister", key)`              `"ok"`, also when the key is another's
`("lookup", key)`                  the entries `(pid, value)`
`("count",)`                       the number of names
`("subscribe", topic)`             `("ok", pid)`; twice means two copies
`("unsubscribe", topic)`           `"ok"`
`("publish", topic, message)`      the number of copies sent; `("dispatch", …)` is the same
=================================  ===========================================================

As a cast, `("publish", topic, message)` comes from other nodes: `publish_everywhere` sends it.

Errors: a request from outside every process to register gives `("error", "noproc")`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, ClassVar

import structlog

from aybiza.actors.names import PUBSUB, REGISTRY, REGISTRY_ACTOR
from aybiza.actors.runtime import (
    VM,
    From,
    GenServer,
    NameTaken,
    Process,
    Registry,
    RemoteBusy,
    current_process,
)
from aybiza.actors.runtime.registry import Keys

log = structlog.get_logger(__name__)


class RegistryActor(GenServer):
    """See the module."""

    async def init(self) -> None:
        names(self.vm)
        topics(self.vm)

    async def handle_call(self, request: Any, from_: From) -> Any:
        match request:
            case ("lookup", key):
                return names(self.vm).lookup(key)
            case ("count",):
                return names(self.vm).count()
            case ("publish" | "dispatch", topic, message):
                return publish(self.vm, topic, message)
            case (str(action), key, *rest) if action in self._own:
                process = self.vm.find(from_.pid) if from_.pid else None
                if process is None:
                    return "error", "noproc"
                return self._own[action](self.vm, process, key, *rest)
        return await super().handle_call(request, from_)

    async def handle_cast(self, request: Any) -> None:
        match request:
            case ("publish", topic, message):
                publish(self.vm, topic, message)
            case _:
                await super().handle_cast(request)

    def get_state(self) -> dict[str, int]:
        """How many entries the tables hold."""
        return {"names": names(self.vm).count(), "subscriptions": topics(self.vm).count()}

    @staticmethod
    def _register(vm: VM, process: Process, key: Hashable, value: Any = None) -> Any:
        try:
            names(vm).register(process, key, value)
        except NameTaken as taken:
            return "error", ("already_registered", taken.pid)
        return "ok", process.pid

    @staticmethod
    def _unregister(vm: VM, process: Process, key: Hashable) -> Any:
        names(vm).unregister(process, key)
        return "ok"

    @staticmethod
    def _subscribe(vm: VM, process: Process, topic: Hashable) -> Any:
        topics(vm).register(process, topic)
        return "ok", process.pid

    @staticmethod
    def _unsubscribe(vm: VM, process: Process, topic: Hashable) -> Any:
        topics(vm).unregister(process, topic)
        return "ok"

    _own: ClassVar[dict[str, Callable[..., Any]]] = {
        "register": _register,
        "unregister": _unregister,
        "subscribe": _subscribe,
        "unsubscribe": _unsubscribe,
    }


def names(vm: VM) -> Registry:
    """The table of unique names, made at the first use."""
    return _table(vm, REGISTRY, "unique")


def topics(vm: VM) -> Registry:
    """The table of subscriptions, made at the first use."""
    return _table(vm, PUBSUB, "duplicate")


def publish(vm: VM, topic: Hashable, message: Any) -> int:
    """Send `message` to every subscriber of `topic`; returns how many copies were sent."""
    entries = topics(vm).lookup(topic)
    for entry in entries:
        vm.send(entry.pid, message)
    return len(entries)


def publish_everywhere(vm: VM, topic: Hashable, message: Any) -> int:
    """`publish`, on this node and on all others of the cluster; returns the copies sent here.

    A node with too much to do is left out, and the log says so.
    """
    for node in vm.nodes():
        try:
            vm.cast((REGISTRY_ACTOR, node), ("publish", topic, message))
        except RemoteBusy:
            log.warning("not_published", topic=str(topic), node=node)
    return publish(vm, topic, message)


def subscribe(vm: VM, topic: Hashable) -> None:
    """From now on the calling process gets what is published to `topic`, as plain messages."""
    topics(vm).register(_caller(), topic)


def unsubscribe(vm: VM, topic: Hashable) -> None:
    """Undo every `subscribe` of the calling process to `topic`."""
    topics(vm).unregister(_caller(), topic)


def _table(vm: VM, name: str, keys: Keys) -> Registry:
    if name not in vm.registries:
        vm.registries[name] = Registry(name, keys)
    return vm.registries[name]


def _caller() -> Process:
    process = current_process.get()
    if process is None:
        raise RuntimeError("subscriptions are for processes: call this inside one")
    return process
