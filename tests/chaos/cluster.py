"""`python -m tests.chaos.cluster`: chaos with real processes.

Several machines, each an `aybiza run` with its keeper and a node, talk to each other (`traffic`)
while nodes and whole machines are killed with SIGKILL, frozen with SIGSTOP and parted at random.
With `--calls` telephones of this process call them meanwhile, the providers being the loopback
emulators. The run is one list of steps, printed as they come; the same seed gives the same list.
Checked are the invariants of `tests.chaos.simulation`, after each step and whenever all is healed,
and at the end that no process is left; a call must come to its end unless its node was harmed.

Exit codes: 0 all held, 1 one did not, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from aybiza.actors.node.client import NodeError
from aybiza.actors.node.cookie import ensure_cookie
from tests.actors.cluster.machines import Machine
from tests.actors.node.kit import free_port

REST_SECONDS = 30.0
SETTLE_SECONDS = 20.0
SLACK_SECONDS = 0.3
"""Between the last moment at which a node must be missed and the look at who was told."""
FROZEN_SECONDS = (0.3, 6.0)
EXAMPLE = """\
example:
  python -m tests.chaos.cluster --seed 7 --minutes 10
  python -m tests.chaos.cluster --seed 7 --minutes 10 --nodes 4 --calls 2

exit codes: 0 every invariant held, 1 one did not (the last lines say which, and how to replay it)
"""


class Broken(Exception):
    """An invariant does not hold."""


class Run:
    """The machines, and what is done to them. `say` gets each step."""

    def __init__(
        self,
        seed: int,
        nodes: int,
        say: Callable[[str], None],
        *,
        down_seconds: float = 2.0,
        calls: int = 0,
        environment: dict[str, str] | None = None,
    ) -> None:
        self.names = [f"n{number}" for number in range(nodes)]
        self.machines: dict[str, Machine] = {}
        self.harmed: dict[str, float] = {}
        """When each node was last harmed, for its calls."""
        self.doors: dict[str, int] = {name: free_port() for name in self.names}
        self.slowest_down = 0.0
        self.steps = self.rests = 0
        self.counts: dict[str, int] = {}
        self._dice = random.Random(seed)
        self._say = say
        self._down_seconds = down_seconds
        self._environment = {"CHAOS_SEED": str(seed), **(environment or {})}
        if calls:
            self._environment["CHAOS_CALLS"] = "1"
        self._frozen: dict[str, tuple[int, float]] = {}
        self._cut = False
        self._began = time.monotonic()

    def __enter__(self) -> Run:
        try:
            for name in self.names:
                self._start(name)
            for machine in self.machines.values():
                machine.ready()
            self._together(self.names)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with ExitStack() as stack:
            for machine in self.machines.values():
                stack.push(machine)
            for name in list(self._frozen):
                self._thaw(name)

    def go_on(self, seconds: float) -> None:
        """So many seconds of chaos; raises Broken."""
        end = time.monotonic() + seconds
        rest_at = time.monotonic() + REST_SECONDS
        while time.monotonic() < end:
            self._step()
            if time.monotonic() > rest_at:
                self.rest()
                rest_at = time.monotonic() + REST_SECONDS
        self.rest()

    def end(self) -> None:
        """Stop all in order; raises Broken if a machine does not, or leaves a process."""
        for name, machine in self.machines.items():
            machine.process.send_signal(signal.SIGTERM)
            code = machine.process.wait(30)
            if code != 0 or machine.left():
                raise Broken(f"the machine of {name} ended with {code}, left {machine.left()}")

    # Steps

    def _step(self) -> None:
        self.steps += 1
        for name, (_, until) in list(self._frozen.items()):
            if time.monotonic() > until:
                self._tell(f"thaw {name}")
                self._thaw(name)
        name = self._dice.choice(self.names)
        seconds = round(self._dice.uniform(*FROZEN_SECONDS), 1)
        side = sorted(self._dice.sample(self.names, self._dice.randint(1, len(self.names) - 1)))
        pause = self._dice.choice([0.0, 0.3, 1.0, 2.0])
        action = self._dice.randrange(8)
        if action < 5 and name not in self._frozen:
            self._pid(name)  # who is still being started has nothing to lose
        match action:
            case 0 | 1 if name not in self._frozen:
                self._tell(f"kill {name}")
                self._missed([name], lambda: self._signal(name, signal.SIGKILL))
            case 2 if name not in self._frozen and not self._cut:
                self._tell(f"kill the machine of {name}, and start it again")
                self._missed([name], lambda: self._kill_machine(name))
                self._start(name, others=True)
                self.machines[name].ready()
            case 3 | 4 if name not in self._frozen:
                self._tell(f"freeze {name} for {seconds} s")
                self._freeze(name, seconds)
            case 5 if not self._cut and not self._frozen:
                self._tell(f"part {' '.join(side)} from the others")
                self._missed(side, lambda: self._part(side))
            case 6 | 7 if self._cut:
                self._tell("thaw and heal all")
                for frozen in list(self._frozen):
                    self._thaw(frozen)
                self._heal()
            case _:
                self._tell("nothing")
                pause += 1.0
        time.sleep(pause)
        for node, report in self._reports().items():
            if report["faults"]:
                raise Broken(f"{node}: {'; '.join(report['faults'])}")

    def _missed(self, side: Sequence[str], harm: Callable[[], None]) -> None:
        """Do harm, and check that across the side's border everybody misses who was there."""
        before = self._reports()
        began = time.time()
        harm()
        pairs = [
            (observer, victim)
            for observer, report in before.items()
            for victim in self.names
            if (observer in side) != (victim in side)
            and victim in report["nodes"]
            # Of a node that has ended itself nothing is to be heard.
            and not (len(side) == 1 and observer in side)
        ]
        wait = began + self._down_seconds + SLACK_SECONDS - time.time()
        time.sleep(max(0.0, wait))
        for observer, report in self._reports().items():
            for victim in [victim for one, victim in pairs if one == observer]:
                self._check_missed(observer, report["seen"], victim, began)

    def _check_missed(self, observer: str, seen: list[Any], victim: str, began: float) -> None:
        if observer in self._frozen:
            return
        downs = [at for at, kind, node in seen if (kind, node) == ("down", victim) and at >= began]
        if not downs:
            raise Broken(f"{observer} has not missed {victim}")
        self.slowest_down = max(self.slowest_down, downs[0] - began)
        if downs[0] - began > self._down_seconds:
            raise Broken(f"{observer} missed {victim} after {downs[0] - began:.2f} s only")

    def _signal(self, name: str, number: int) -> None:
        self.harmed[name] = time.monotonic()
        os.kill(self._pid(name), number)

    def _pid(self, name: str) -> int:
        """The node's process, once it is up."""
        end = time.monotonic() + SETTLE_SECONDS
        while True:
            try:
                return self.machines[name].pid(name)
            except (AssertionError, NodeError):
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)

    def _kill_machine(self, name: str) -> None:
        self.harmed[name] = time.monotonic()
        self.machines[name].__exit__()

    def _freeze(self, name: str, seconds: float) -> None:
        pid = self._pid(name)
        self._frozen[name] = pid, time.monotonic() + seconds

        def stop() -> None:
            self.harmed[name] = time.monotonic()
            os.kill(pid, signal.SIGSTOP)

        if seconds > self._down_seconds + SLACK_SECONDS + 0.5:
            self._missed([name], stop)
        else:
            stop()

    def _thaw(self, name: str) -> None:
        pid, _ = self._frozen.pop(name)
        self.harmed[name] = time.monotonic()
        with contextlib.suppress(ProcessLookupError):  # its keeper was faster
            os.kill(pid, signal.SIGCONT)

    def _part(self, side: Sequence[str]) -> None:
        self._cut = True
        others = [name for name in self.names if name not in side]
        for name in self.names:
            self._ask(name, op="cut", nodes=others if name in side else list(side))

    def _heal(self) -> None:
        self._cut = False
        for name in self.names:
            self._ask(name, op="heal")

    # Rest

    def rest(self) -> None:
        """Heal all, wait until the nodes have found each other, and check what must hold then."""
        self.rests += 1
        self._tell("rest: thaw and heal all, then check")
        for name in list(self._frozen):
            self._thaw(name)
        self._together(self.names, self._heal)
        for name in self.names:
            self._ask(name, op="rest")
        end = time.monotonic() + SETTLE_SECONDS
        while fault := self._fault(self._reports(all_of_them=True)):
            if time.monotonic() > end:
                raise Broken(fault)
            time.sleep(0.3)
        for report in self._reports().values():
            self.counts["received"] = self.counts.get("received", 0) + report["received"]
        for name in self.names:
            self._ask(name, op="talk")

    def _together(self, names: Sequence[str], prepare: Callable[[], None] | None = None) -> None:
        """Wait until all reach each other."""
        end = time.monotonic() + SETTLE_SECONDS
        wanted = {name: [other for other in sorted(names) if other != name] for name in names}
        while True:
            try:
                if prepare is not None:
                    prepare()
                found = {n: r["nodes"] for n, r in self._reports(all_of_them=True).items()}
                if found == wanted:
                    return
            except NodeError as error:
                found = {"error": str(error)}
            if time.monotonic() > end:
                raise Broken(f"the nodes have not found each other: {found}")
            time.sleep(0.2)

    def _fault(self, reports: dict[str, Any]) -> str | None:
        if any(report["faults"] for report in reports.values()):
            raise Broken("; ".join(f for report in reports.values() for f in report["faults"]))
        for node, report in reports.items():
            if report["busy"] or report["waiting"]:
                return f"{node}: {report['busy']} calls and {report['waiting']} monitors wait"
            for name, pid in report["held"].items():
                for other, seen in reports.items():
                    if seen["owners"][name] != pid:
                        return f"{name} of {pid} is {seen['owners'][name]} on {other}"
        if len({tuple(sorted(report["owners"].items())) for report in reports.values()}) != 1:
            return f"names differ: {[report['owners'] for report in reports.values()]}"
        grouped = sorted(pid for report in reports.values() for pid in report["grouped"])
        if any(report["members"] != grouped for report in reports.values()):
            return f"members differ: {[report['members'] for report in reports.values()]}"
        singles = [pid for report in reports.values() for pid in report["singles"]]
        if len(singles) != 1 or {report["single"] for report in reports.values()} != set(singles):
            return f"the singleton runs as {singles}"
        return None

    # Machines

    def _start(self, name: str, *, others: bool = False) -> None:
        known = self.names if others else list(self.machines)
        memory = f"{self._environment.get('CHAOS_FOLDER', tempfile.gettempdir())}/{name}.sqlite3"
        environment: dict[str, Any] = {**self._environment, "AYBIZA_MEMORY_PATH": memory}
        joined = [f"127.0.0.1:{self.machines[o].port}" for o in known if o != name]
        self.machines[name] = Machine(
            name,
            *("--node-main", "tests.chaos.mains:member", "--max-restarts", "1000"),
            *("--silence-limit", "15", "--http-port", "0", "--media-port", str(self.doors[name])),
            *(option for machine in joined for option in ("--join", machine)),
            **environment,
        )

    def _ask(self, name: str, **request: Any) -> Any:
        """An answer of the node; asked again while it is being started."""
        end = time.monotonic() + SETTLE_SECONDS
        while True:
            try:
                return self.machines[name].ask(name, **request)
            except NodeError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)

    def _reports(self, *, all_of_them: bool = False) -> dict[str, Any]:
        """By node; without `all_of_them` of those that answer."""
        found = {}
        for name in self.names:
            if name in self._frozen:
                continue
            try:
                found[name] = self.machines[name].ask(name, op="report")
            except NodeError:
                if all_of_them:
                    raise
        return found

    def _tell(self, text: str) -> None:
        self._say(f"{time.monotonic() - self._began:8.2f}  {text}")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        "python -m tests.chaos.cluster",
        description="Chaos with real processes, with invariants checked.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seed", type=int, default=1, help="of the list of steps; default 1")
    parser.add_argument("--minutes", type=float, default=10.0, help="default 10")
    parser.add_argument("--nodes", type=int, default=3, help="one a machine; default 3")
    parser.add_argument("--calls", type=int, default=0, help="phone calls at a time; default 0")
    parser.add_argument(
        "--down-seconds", type=float, default=2.0, help="within which a lost node is missed"
    )
    options = parser.parse_args(arguments)
    if options.nodes < 2:
        parser.error("--nodes: at least 2")
    replay = f"--seed {options.seed} --minutes {options.minutes:g} --nodes {options.nodes}"
    replay += f" --calls {options.calls}" if options.calls else ""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="aybiza-chaos-"))
        os.environ["AYBIZA_COOKIE_FILE"] = f"{folder}/cookie"
        ensure_cookie(Path(folder) / "cookie")
        environment = {"CHAOS_FOLDER": folder}
        telephones = None
        if options.calls:
            from tests.chaos.telephones import Telephones, providers

            environment |= stack.enter_context(providers())
            telephones = Telephones(options.calls, options.seed)
        try:
            run = Run(
                options.seed,
                options.nodes,
                lambda text: print(text, flush=True),
                down_seconds=options.down_seconds,
                calls=options.calls,
                environment=environment,
            )
            with run:
                if telephones is not None:
                    stack.enter_context(telephones.calling(run))
                run.go_on(options.minutes * 60)
                if telephones is not None:
                    telephones.stop()
                    if telephones.faults:
                        raise Broken("; ".join(telephones.faults))
                run.end()
        except (Broken, AssertionError) as broken:
            print(f"BROKEN: {broken}\nreplay: python -m tests.chaos.cluster {replay}")
            return 1
    calls = "" if telephones is None else f", {telephones.summary()}"
    print(
        f"held: {run.steps} steps, {run.rests} rests, {run.counts['received']} numbers received"
        f"{calls}; slowest NodeDown {run.slowest_down:.2f} s ({replay})"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
