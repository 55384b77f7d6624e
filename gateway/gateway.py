"""Gateway: the doors of a node, under one supervisor.

Gateway             one_for_one
├─ StreamSupervisor   the media streams, one process each
├─ MediaServer        accepts them
├─ AudioSocketServer  accepts Asterisk's, if there is a port for it
├─ HttpServer         webhooks, health, metrics, the console's pages
└─ ConsoleActor       looks at the node while an operator does, if there is a console
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aybiza.actors.placement.placement_actor import board
from aybiza.gateway.carriers.audio_socket import AudioSocketServer
from aybiza.gateway.carriers.codec import Start
from aybiza.gateway.carriers.paths import SOFTPHONE
from aybiza.gateway.console.console_actor import NAME as CONSOLE
from aybiza.gateway.console.console_actor import ConsoleActor
from aybiza.gateway.control.control import Control
from aybiza.gateway.http import HttpDoor, http_app
from aybiza.gateway.http_server import HttpServer
from aybiza.gateway.media_server import STREAM_SUPERVISOR, MediaServer
from aybiza.gateway.media_stream import ContextOf
from aybiza.gateway.returning import Transfers
from aybiza.supervisors.child_spec import ChildSpec, child
from aybiza.supervisors.dynamic_supervisor import DynamicSupervisor
from aybiza.supervisors.supervisor import Supervisor

# A door that fails again and again must not take the calls with it too soon.
MAX_RESTARTS = 10
MAX_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Doors:
    """The bound sockets and what stands behind them; `audio_socket` is Asterisk's. `controls`: what
    carriers can be told by, by their names. `shared`: sockets that all nodes of the machine accept
    from, `media` and `http`, if there are any."""

    media: socket.socket
    http: socket.socket
    context_of: ContextOf
    door: HttpDoor
    audio_socket: socket.socket | None = None
    controls: Mapping[str, Control] = field(default_factory=dict)
    shared: Mapping[str, socket.socket] = field(default_factory=dict)


class Gateway(Supervisor):
    """See the module."""

    async def init(self, doors: Doors) -> Any:  # type: ignore[override]
        admission = doors.door.admission
        switchboard, controls = doors.door.switchboard, doors.controls
        carriers = (*doors.door.carriers, *([SOFTPHONE] if doors.door.console else []))

        def transfers_of(start: Start) -> Transfers:
            return Transfers.of(switchboard.answering(start.custom_parameters))

        shared = doors.shared
        media = (doors.media, doors.context_of, carriers, admission, controls, transfers_of)
        http = (doors.http, http_app(doors.door), admission)
        children = [
            child(StreamSupervisor, name=STREAM_SUPERVISOR),
            child(MediaServer, *media, shared.get("media"), name="media_server"),
            child(HttpServer, *http, shared.get("http"), name="http_server"),
        ]
        if doors.audio_socket is not None:
            control = controls.get("asterisk")
            asterisk = (doors.audio_socket, doors.context_of, admission, control, transfers_of)
            children.append(child(AudioSocketServer, *asterisk, name="audio_socket_server"))
        if doors.door.console is not None:
            # Behind the server, so that it ends first, and with it what its viewers wait for.
            children.append(child(ConsoleActor, doors.door.console, name=CONSOLE))
        await super().init(
            children,
            max_restarts=MAX_RESTARTS,
            max_seconds=MAX_SECONDS,
        )
        board(self.vm).opened()


class StreamSupervisor(DynamicSupervisor):
    """The media streams, one MediaStream each."""


def gateway(doors: Doors) -> ChildSpec:
    """The spec of the gateway in the application's tree."""
    return child(Gateway, doors, name="gateway")
