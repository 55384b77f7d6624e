"""What breaks around the actors of a running node: its emulators' doors, and its own process.

`refusals` says beforehand what of a plan cannot be done here; the others block and are for a worker
thread. The emulators are those that `aybiza run --emulated` has started for the node: they take
faults over HTTP, `/_emulator/…` on their own ports.

Errors: `OSError` and `ValueError` of an emulator that does not answer or does not take a fault.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from aybiza.faults.fault import Fault, Group, provider_fault
from aybiza.faults.plan import Plan

HTTP_SECONDS: Final = 2.0
PROVIDERS: Final = ("listen", "speak", "bedrock")

_WORLD: Final[dict[Group, str]] = {
    "line": "the line is the carrier's",
    "node": "the disk, the clock and Redis are the machine's",
}

_FREEZER: Final = """\
import os, signal, sys, time
node = os.pidfd_open(int(sys.argv[1]))
signal.pidfd_send_signal(node, signal.SIGSTOP)
time.sleep(float(sys.argv[2]))
signal.pidfd_send_signal(node, signal.SIGCONT)
"""


class Emulators(NamedTuple):
    """Where the node's own emulators take faults: `http://host:port` of each."""

    bedrock: str
    deepgram: str

    @classmethod
    def at(cls, bedrock_url: str, deepgram_url: str) -> Emulators:
        """Those behind the URLs that a node calls its providers by."""
        return cls(*(f"http://{urlsplit(url).netloc}" for url in (bedrock_url, deepgram_url)))


def refusals(plan: Plan, emulators: Emulators | None) -> Iterator[str]:
    """What of `plan` cannot be done on this node, a line each."""
    for number, fault in enumerate(plan.faults, 1):
        why = ""
        if fault.kind.only == "world":
            why = _WORLD.get(fault.kind.group, "it is done in virtual time only")
        elif fault.kind.group in PROVIDERS and emulators is None:
            why = (
                "the node talks to the real provider, which is nobody's to break; one that was"
                " started with --emulated has providers of its own"
            )
        if why:
            yield f"fault {number}: {fault.what} cannot be done on a running node: {why}"


def break_provider(emulators: Emulators, fault: Fault) -> None:
    """Have the emulator do `fault`: to the sockets that are open, and then to the next."""
    told = asdict(provider_fault(fault))
    if fault.kind.group == "bedrock":
        _ask(f"{emulators.bedrock}/_emulator/faults", "POST", told)
        return
    known = _ask(f"{emulators.deepgram}/_emulator/kinds", "GET")[told["kind"]]["parameters"]
    members = {"door", "kind", "times", "session", *known}
    told = {name: value for name, value in told.items() if name in members}
    _ask(f"{emulators.deepgram}/_emulator/strikes", "POST", told)


def mend_providers(emulators: Emulators) -> None:
    """Have the emulators forget the faults that wait."""
    for url in emulators:
        _ask(f"{url}/_emulator/faults", "DELETE")


def freeze(seconds: float) -> None:
    """Stop all threads of this process; another process lets it go on after `seconds`."""
    command = [sys.executable, "-S", "-c", _FREEZER, str(os.getpid()), str(seconds)]
    subprocess.run(command, check=True, timeout=seconds + 30.0)


def kill() -> None:
    """End this process at once."""
    os.kill(os.getpid(), signal.SIGKILL)


def _ask(url: str, method: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, method=method)
    # The emulators are on this machine, whatever proxy there is to others.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=HTTP_SECONDS) as answer:
        return json.load(answer)
