"""The loopback providers as a child process, for a node without Bedrock, Deepgram and others.

`python -m aybiza.emulators` prints one line of JSON with the URLs of its servers and runs until its
standard input closes or SIGTERM comes. Contract: `start` returns the environment with which a node
reaches them; `stop` ends the process. Errors: EmulatorsError, with a message for people.
"""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, MutableMapping
from typing import Literal

from aybiza.config.children import end

Engine = Literal["scripted", "acoustic"]

URLS = (
    "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
    "DEEPGRAM_URL",
    "OPENAI_BASE_URL",
    "ELEVENLABS_URL",
    "AYBIZA_TWILIO_API",
)
START_LIMIT = 60.0
"""Seconds until the servers listen; the acoustic engine loads its models first."""
STOP_LIMIT = 1.0
"""Seconds from SIGTERM to a kill."""

_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "EMULATED",
    "AWS_SECRET_ACCESS_KEY": "emulated",
    "AWS_EC2_METADATA_DISABLED": "true",
    "DEEPGRAM_API_KEY": "emulated",
    "OPENAI_API_KEY": "emulated",
    "ELEVENLABS_API_KEY": "emulated",
}
_UNWANTED = (
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AYBIZA_SIGNALWIRE_API",
)
"""What would make boto3 look for credentials other than those above; and a carrier of real people,
which a node that is tried out has nobody called by."""


class EmulatorsError(Exception):
    """The loopback providers did not start; the message says why."""


class Emulators:
    """The child process, from start to stop."""

    def __init__(
        self, engine: Engine, agent: str = "clinic", routes: os.PathLike[str] | None = None
    ) -> None:
        """For whom the model answers: `agent`, as AYBIZA_AGENT names it, and the agents of the
        file `routes`, as AYBIZA_ROUTES_FILE names it."""
        self._engine = engine
        self._agent = agent
        self._routes = routes
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, wanted: Callable[[], bool] = lambda: True) -> Mapping[str, str]:
        """Start the providers; the URLs of their servers. Ends early if no longer `wanted`."""
        command = [sys.executable, "-m", "aybiza.emulators", "--engine", self._engine]
        command += ["--agent", self._agent]
        command += [] if self._routes is None else ["--routes", os.fspath(self._routes)]
        # A session of its own: the terminal's Ctrl-C is for the node first, which still talks to
        # its providers.
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        line = self._first_line(self._process, wanted)
        try:
            urls = json.loads(line)
            return {name: str(urls[name]) for name in URLS}
        except (ValueError, KeyError, TypeError) as error:
            raise EmulatorsError(
                f"the emulators' first line must be JSON with {' and '.join(URLS)}, was {line!r}"
            ) from error

    def ended(self) -> bool:
        """Whether the process has ended by itself."""
        return self._process is not None and self._process.poll() is not None

    def stop(self) -> None:
        """End the process; without effect if it is not running."""
        process = self._process
        if process is None:
            return
        self._process = None
        end(process, STOP_LIMIT)

    def _first_line(self, process: subprocess.Popen[bytes], wanted: Callable[[], bool]) -> str:
        assert process.stdout is not None
        descriptor = process.stdout.fileno()
        until = time.monotonic() + START_LIMIT
        data = b""
        while b"\n" not in data:
            if not wanted():
                raise EmulatorsError("the emulators were stopped while they started")
            if time.monotonic() > until:
                raise EmulatorsError(f"the emulators did not start within {START_LIMIT:g} s")
            if select.select([descriptor], [], [], 0.1)[0]:
                more = os.read(descriptor, 65536)
                if not more:
                    raise EmulatorsError(
                        "the emulators ended while they started (exit code"
                        f" {process.wait(STOP_LIMIT)}); their own message stands above"
                    )
                data += more
        return data.partition(b"\n")[0].decode(errors="replace")


def enter(urls: Mapping[str, str], environment: MutableMapping[str, str]) -> None:
    """Point `environment`, in place, to the emulators at `urls`, with keys for nothing else."""
    environment.update(urls)
    environment.update(_CREDENTIALS)
    environment["AYBIZA_EMULATED"] = "true"
    for name in _UNWANTED:
        environment.pop(name, None)
    for name in ("NO_PROXY", "no_proxy"):
        others = environment.get(name)
        environment[name] = "127.0.0.1,localhost" + (f",{others}" if others else "")
