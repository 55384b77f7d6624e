"""`aybiza run`: a node on this machine, kept alive until it is told to stop.

One line goes to standard output, when the node takes calls; the log goes to standard error.
Ctrl-C, SIGTERM, a hang-up of the terminal and `aybiza stop` end everything in order within 5 s; a
second Ctrl-C ends it at once.

Exit codes: 0 stopped as asked; 1 the node did not start, was given up, did not stop in order, or a
process that keeps it was lost; 2 an option or a setting cannot be used.
"""

import contextlib
import ipaddress
import json
import os
import signal
import time
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import structlog
import typer
from typer.core import TyperCommand

from config import logs
from console.setup import settings_or_exit

if TYPE_CHECKING:
    from actors.node.messages import Limits, NodeUp
    from actors.node.system import Event, NodeSystem
    from console.emulated import Emulators

NODE_MAIN = "console.node:node_main"
POLL = 0.2
"""Seconds between two looks at signals and processes."""
REPORT_MARGIN = 0.7
"""Seconds after a node's stop limit in which the keeper has to report."""
IMPORT_LIMIT = 30.0
"""Seconds for the keeper to import the application, before the node's own start limit begins."""

EXAMPLES = """\
Examples:\n
\n
  aybiza run                       the providers are Amazon Bedrock and Deepgram\n
  aybiza run --emulated            loopback providers: no keys, no network\n
  aybiza run --emulated=scripted --http-port 3001 --media-port 8081\n
"""

log = structlog.get_logger(__name__)


class EngineName(StrEnum):
    """The emulators' speech engines."""

    scripted = "scripted"
    acoustic = "acoustic"


def _one_interface(value: str) -> str:
    try:
        if ipaddress.IPv4Address(value).is_unspecified:
            raise ValueError
    except ValueError:
        raise typer.BadParameter(f"{value!r} is not the IPv4 address of one interface") from None
    return value


class RunCommand(TyperCommand):
    """The command, with `--emulated` alone standing for `--emulated=acoustic`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        bare = "--emulated"
        args = [f"{bare}={EngineName.acoustic.value}" if arg == bare else arg for arg in args]
        return super().parse_args(ctx, args)


def run(
    emulated: Annotated[
        EngineName | None,
        typer.Option(
            help="Start loopback providers and use them: real speech (acoustic, which"
            " --emulated alone means) or texts (scripted).",
            metavar="[=acoustic|scripted]",
            show_choices=False,
        ),
    ] = None,
    http_port: Annotated[
        int | None, typer.Option(help="Port of webhooks, health and metrics (AYBIZA_HTTP_PORT).")
    ] = None,
    media_port: Annotated[
        int | None, typer.Option(help="Port of the media websocket (AYBIZA_MEDIA_PORT).")
    ] = None,
    cluster_port: Annotated[
        int | None,
        typer.Option(
            "--cluster-port", "--port", help="Port of the actor system (AYBIZA_CLUSTER_PORT)."
        ),
    ] = None,
    cluster_bind: Annotated[
        str,
        typer.Option(
            help="Interface of the actor system. Whoever can connect to it can run code here.",
            callback=_one_interface,
        ),
    ] = "127.0.0.1",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the line that says ready as a JSON object.")
    ] = False,
    start_limit: Annotated[
        float, typer.Option(min=0.1, help="Seconds that the node gets to open its doors.")
    ] = 20.0,
    silence_limit: Annotated[
        float, typer.Option(min=1.0, help="Seconds without a heartbeat before the node is killed.")
    ] = 5.0,
    stop_limit: Annotated[
        float, typer.Option(min=0.1, max=60.0, help="Seconds that the node gets to end its calls.")
    ] = 3.0,
    max_restarts: Annotated[
        int, typer.Option(min=0, help="Restarts within 30 s before the node is given up.")
    ] = 5,
    node_main: Annotated[str, typer.Option(hidden=True)] = NODE_MAIN,
) -> None:
    """Run a node, keep it alive, and end it in order when told to.

    Prints one line when the node takes calls. A node that crashes or hangs is started again.
    Ctrl-C and SIGTERM end it. Exit code 0: stopped as asked; 1: failed; 2: an option or a setting
    cannot be used.
    """
    overrides = {
        "AYBIZA_HTTP_PORT": http_port,
        "AYBIZA_MEDIA_PORT": media_port,
        "AYBIZA_CLUSTER_PORT": cluster_port,
    }
    os.environ.update({name: str(port) for name, port in overrides.items() if port is not None})
    settings = settings_or_exit()
    logs.start(settings.log_level, settings.log_format)

    from actors.node.messages import Limits

    command = _Run(
        engine=emulated,
        main=node_main,
        port=settings.cluster_port,
        address=cluster_bind,
        limits=Limits(
            start=start_limit, silence=silence_limit, stop=stop_limit, max_restarts=max_restarts
        ),
        as_json=as_json,
    )
    code = command.execute()
    logs.stop()
    raise typer.Exit(code)


class _Run:
    """One run of the command."""

    def __init__(
        self,
        *,
        engine: EngineName | None,
        main: str,
        port: int,
        address: str,
        limits: "Limits",
        as_json: bool,
    ) -> None:
        self._engine = engine
        self._main = main
        self._port = port
        self._address = address
        self._limits = limits
        self._as_json = as_json
        self._signals: list[int] = []
        self._ready = False
        self._failed = False

    def execute(self) -> int:
        """Run until the end; the exit code."""
        from actors.node.messages import NodeStopped
        from actors.node.process import end_descendants
        from actors.node.system import NodeStartError, NodeSystem
        from console.emulated import Emulators, EmulatorsError, enter

        # The actor system's processes inherit these handlers, which are without effect there: a
        # signal to the whole process group or session leaves the end to this process.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, lambda received, _frame: self._signals.append(received))
        # numpy's threads would have to be forked with the process that imports it.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        emulators = None if self._engine is None else Emulators(self._engine.value)
        system: NodeSystem | None = None
        last: Event | None = None
        try:
            if emulators is not None:
                enter(emulators.start(lambda: not self._signals), os.environ)
            system = NodeSystem(
                main=self._main, port=self._port, address=self._address, limits=self._limits
            )
            system.start()
            last = self._watch(system, emulators)
        except (EmulatorsError, NodeStartError) as error:
            _say(str(error))
        finally:
            if system is not None:
                system.close(in_order=isinstance(last, NodeStopped))
            if emulators is not None:
                emulators.stop()
            left = end_descendants()
        if left:
            _say(f"processes {left} could not be ended")
        never_started = system is None and bool(self._signals)
        in_order = isinstance(last, NodeStopped) and last.failure is None and not self._failed
        return 0 if (in_order or never_started) and not left else 1

    def _watch(self, system: "NodeSystem", emulators: "Emulators | None") -> "Event | None":
        """Report what happens and pass on the wish to stop, until it is over; the last event."""
        deadline = time.monotonic() + IMPORT_LIMIT + self._limits.start
        stopping = False
        while time.monotonic() < deadline:
            event = system.next_event(POLL)
            if event is not None:
                if self._report(event):
                    return event
                if self._ready and not stopping:
                    deadline = float("inf")
            if self._signals.count(signal.SIGINT) > 1:
                _say("ended at once on a second Ctrl-C")
                return None
            if not stopping and self._must_stop(emulators):
                stopping = True
                deadline = time.monotonic() + self._limits.stop + REPORT_MARGIN
                if not system.stop():
                    _say("the NodeKeeper does not answer; its processes are killed")
                    return None
        what = "ended" if stopping else "become ready"
        _say(f"the NodeKeeper has not reported in time that the node has {what}")
        return None

    def _must_stop(self, emulators: "Emulators | None") -> bool:
        if self._signals:
            log.info("stopping", signal=signal.Signals(self._signals[0]).name)
            return True
        if emulators is not None and emulators.ended():
            self._failed = True
            _say("the emulators have ended; the node cannot reach its providers and is stopped")
            return True
        return False

    def _report(self, event: "Event") -> bool:
        """Tell people of an event; whether it is the last."""
        from actors.node.messages import NodeDown, NodeGivenUp, NodeStopped, NodeUp
        from actors.node.system import SystemBroken

        match event:
            case NodeUp():
                log.info(
                    "node_up", pid=event.pid, incarnation=event.incarnation, doors=dict(event.info)
                )
                if not self._ready:
                    self._ready = True
                    _print_line(ready_line(event, as_json=self._as_json))
                return False
            case NodeDown():
                log.error(
                    "node_down",
                    pid=event.pid,
                    incarnation=event.incarnation,
                    reason=event.reason,
                    restart_in_s=event.restart_in,
                )
                return False
            case NodeGivenUp():
                _say(event.reason)
            case SystemBroken():
                _say(f"{event.what}; the node cannot be kept without it")
            case NodeStopped(failure=None):
                log.info("node_stopped")
            case NodeStopped():
                _say(f"the node did not stop in order: {event.failure}")
        return True


def ready_line(up: "NodeUp", *, as_json: bool = False) -> str:
    """What is printed when the node takes calls: its doors, then its name and process."""
    info: Mapping[str, Any] = up.info
    doors = {name: value for name, value in info.items() if name != "node"}
    node = info.get("node", "node")
    if as_json:
        return json.dumps({**doors, "node": node, "pid": up.pid})
    return "ready: " + ", ".join(
        [*(f"{name} {value}" for name, value in doors.items()), f"node {node} pid {up.pid}"]
    )


def _print_line(line: str) -> None:
    # Not through sys.stdout: a reader that has gone away must not spoil the exit code.
    with contextlib.suppress(OSError):
        os.write(1, f"{line}\n".encode())


def _say(text: str) -> None:
    with contextlib.suppress(OSError):
        os.write(2, f"aybiza run: {text}\n".encode())
