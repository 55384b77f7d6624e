"""The pytest plugin: fixtures for tests of agents and actors under faults, in virtual time.

`virtual_time`  the clock of the test: `run`, `pass_by`, `now`
`vm`            a VM without an application, in virtual time
`node`          a whole node: the application, providers and the carrier in memory
`call`          places calls on the node: `call(says("Hello."), hangs_up())`
`faults`        breaks something: `faults("kill", where="SpeakerActor", at=2.0)`

What the node is made of can be overridden as fixtures are: `aybiza_agent` (an `Agent`; by default
that of the ini option `aybiza_agent`, or the front desk), `aybiza_answers` (what the model says),
`aybiza_toolbox`, `aybiza_world` (what else there is to say of it, as its pace), `aybiza_seed`
(option `--aybiza-seed`). A failing test shows the trace as a
sequence and the command that repeats it. The helpers are in `aybiza.faults.testing`.
"""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from aybiza.config.agents import Agent
    from aybiza.dialogue.toolbox import Toolbox
    from aybiza.faults.desk import Answers
    from aybiza.faults.testing import Caller, Faults, Node
    from aybiza.faults.virtual_time import VirtualTime
    from aybiza.faults.watched import WatchedVM

# What is imported at its top costs every pytest that has aybiza installed, so the rest waits.

_NODE = pytest.StashKey[Any]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the module."""
    group = parser.getgroup("aybiza")
    group.addoption("--aybiza-seed", type=int, default=0, help="The seed of nodes in virtual time.")
    parser.addini("aybiza_agent", "The agent of nodes in virtual time: a name or a .toml file.")


@pytest.fixture
def aybiza_seed(request: pytest.FixtureRequest) -> int:
    """The seed of the test's chances."""
    seed: int = request.config.getoption("--aybiza-seed")
    return seed


@pytest.fixture
def aybiza_agent(request: pytest.FixtureRequest) -> Agent:
    """The agent of the node."""
    from aybiza.config.agents import load_agent
    from aybiza.faults.desk import AGENT

    name = str(request.config.getini("aybiza_agent") or "")
    if not name:
        return AGENT
    path = request.config.rootpath / name
    return load_agent(str(path) if path.is_file() else name)


@pytest.fixture
def aybiza_answers() -> Answers:
    """What the model says to each text of the caller."""
    return {}


@pytest.fixture
def aybiza_toolbox(aybiza_agent: Agent) -> Toolbox | None:
    """The tools of the node; by default those that the agent names, or the front desk's."""
    from aybiza.dialogue.tools.tool_files import ToolFiles

    return ToolFiles(environment=os.environ).toolbox(aybiza_agent) if aybiza_agent.tools else None


@pytest.fixture
def aybiza_world() -> Mapping[str, Any]:
    """What else the world of the node is made with: options of `aybiza.faults.world.World`."""
    return {}


@pytest.fixture
def virtual_time(aybiza_seed: int) -> Iterator[VirtualTime]:
    """The clock of the test; see the module."""
    from aybiza.faults.virtual import ambient
    from aybiza.faults.virtual_time import VirtualTime

    with ambient(aybiza_seed) as loop, asyncio.Runner(loop_factory=lambda: loop) as runner:
        yield VirtualTime(loop, runner)


@pytest.fixture
def vm(virtual_time: VirtualTime) -> Iterator[WatchedVM]:
    """A VM without an application; see the module."""
    from aybiza.faults.trace import Trace
    from aybiza.faults.watched import WatchedVM

    opened = WatchedVM("test", Trace(lambda: virtual_time.now, messages=True))
    virtual_time.run(opened.__aenter__())
    yield opened
    virtual_time.run(opened.__aexit__(None, None, None))


@pytest.fixture
def node(
    request: pytest.FixtureRequest,
    virtual_time: VirtualTime,
    aybiza_agent: Agent,
    aybiza_answers: Answers,
    aybiza_toolbox: Toolbox | None,
    aybiza_world: Mapping[str, Any],
    aybiza_seed: int,
) -> Iterator[Node]:
    """A whole node; see the module."""
    from aybiza.faults import testing
    from aybiza.faults.injector import Injector
    from aybiza.faults.world import World

    injector = Injector((), aybiza_seed)
    injector.callbacks = True

    options: dict[str, Any] = {
        "agent": aybiza_agent,
        "answers": aybiza_answers,
        "toolbox": aybiza_toolbox,
        "messages": True,
        **aybiza_world,
    }

    async def opened() -> World:
        return await World(seed=aybiza_seed, watcher=injector, **options).__aenter__()

    with ExitStack() as stack:
        world = virtual_time.run(opened())
        stack.callback(lambda: virtual_time.run(world.__aexit__(None, None, None)))
        made = testing.Node(virtual_time, world, injector)
        testing.enter(made)
        stack.callback(testing.leave, made)
        request.node.stash[_NODE] = made
        yield made


@pytest.fixture
def call(node: Node) -> Iterator[Caller]:
    """Places calls; see the module."""
    from aybiza.faults.testing import Caller

    caller = Caller(node)
    yield caller
    caller.close()


@pytest.fixture
def faults(node: Node) -> Faults:
    """Breaks something; see the module."""
    from aybiza.faults.testing import Faults

    return Faults(node.injector)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Show what happened in the node of a test that fails."""
    outcome: Any = yield
    report = outcome.get_result()
    made = item.stash.get(_NODE, None)
    if made is None or report.when != "call" or not report.failed:
        return
    seed = item.config.getoption("--aybiza-seed")
    again = f"pytest {shlex.quote(item.nodeid)} --aybiza-seed {seed}"
    report.sections.append(("what happened on the node", "\n".join(made.sequence())))
    report.sections.append(("the same again", again))
