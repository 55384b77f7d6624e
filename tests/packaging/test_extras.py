"""What each extra brings is enough for what it is for, and the runtime alone needs structlog only.

An extra's environment has the wheel and, of what the tests run with, the distributions that the
extra names, with what these need themselves.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.packaging.test_wheel import built, copied, fresh, pip, run, site
from tests.test_repository import PROJECT

pytestmark = pytest.mark.timeout(300)

COUNTER = """\
import asyncio, sys

from aybiza.actors.runtime import VM, GenServer
from aybiza.supervisors import Supervisor, child


class Counter(GenServer):
    async def init(self, start):
        self.count = start

    async def handle_call(self, request, from_):
        self.count += 1
        return self.count


async def main():
    async with VM() as vm:
        await vm.start(Supervisor, [child(Counter, 41, name="counter")])
        return await vm.call("counter", "increment")


print(asyncio.run(main()))
"""

RUNTIME_TEST = """\
from aybiza.actors.runtime import GenServer


class Echo(GenServer):
    async def init(self):
        pass

    async def handle_call(self, request, from_):
        return request


def test_a_server_answers(vm, virtual_time):
    async def ask():
        return await vm.call(await vm.start(Echo), 7)

    assert virtual_time.run(ask()) == 7
"""


EXTRAS = {"": PROJECT["project"]["dependencies"], **PROJECT["project"]["optional-dependencies"]}


def wanted(*extras: str) -> set[str]:
    """The distributions that `aybiza[…]` needs, with what these need in turn."""
    return closure([line for extra in ("", *extras) for line in EXTRAS[extra]])


def closure(lines: Iterable[str]) -> set[str]:
    """The distributions that some requirements ask for, with what these need in turn."""
    found: set[str] = set()
    seen: set[str] = set()
    waiting = [(line, "") for line in lines]
    while waiting:
        line, extra = waiting.pop()
        need = Requirement(line)
        if need.marker is not None and not need.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(need.name)
        if name != "aybiza":
            found.add(name)
        for part in need.extras or {""}:
            if f"{name}[{part}]" not in seen:
                seen.add(f"{name}[{part}]")
                waiting.extend((inner, part) for inner in requires(name, part))
    return found


def requires(name: str, extra: str) -> list[str]:
    """What a distribution, or an extra of our own, asks for."""
    if name == "aybiza":
        return [*EXTRAS[""], *EXTRAS[extra]]
    try:
        return metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return []


def link(environment: Path, distributions: set[str]) -> None:
    """Let an environment have these distributions of the environment that runs the tests."""
    for name in distributions:
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        tops = {file.parts[0] for file in distribution.files or () if file.parts[0] != ".."}
        for top in tops - {"__pycache__"}:
            target = site(environment) / top
            if not target.exists():
                target.symlink_to(Path(str(distribution.locate_file(top))))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("extras")
    (place / "wheel").mkdir()
    return built(copied(place / "source"), place / "wheel")


def environment(wheel: Path, name: str, distributions: set[str]) -> Path:
    """An environment with the wheel and some distributions."""
    made = fresh(wheel.parent.parent / name)
    pip("install", "--no-deps", "--no-compile", wheel, cwd=wheel.parent, into=made)
    link(made, distributions)
    return made


@pytest.fixture(scope="module")
def alone(wheel: Path) -> Path:
    """The wheel, and structlog."""
    return environment(wheel, "alone", {"structlog"})


def test_the_runtime_needs_structlog_and_nothing_else(alone: Path, tmp_path: Path) -> None:
    assert wanted() == {"structlog"}
    (tmp_path / "counter.py").write_text(COUNTER)
    assert run(alone / "bin" / "python", "counter.py", cwd=tmp_path) == "42\n"


def test_the_runtime_alone_has_no_command_and_says_what_to_install(
    alone: Path, tmp_path: Path
) -> None:
    assert run(alone / "bin" / "aybiza", "--help", cwd=tmp_path, expected=2) == ""
    told = run(alone / "bin" / "aybiza", "--version", cwd=tmp_path)
    assert told == f"aybiza {metadata.version('aybiza')}\n"
    (tmp_path / "client.py").write_text("import aybiza.claude.client")
    done = subprocess.run(
        [alone / "bin" / "python", "client.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    *_, last = done.stderr.splitlines()
    assert last.endswith("which is not installed: pip install 'aybiza[voice]'")


def test_the_cluster_is_enough_for_nodes_of_ones_own(wheel: Path, tmp_path: Path) -> None:
    assert "thespian" in wanted("cluster")
    assert "boto3" not in wanted("cluster")
    cluster = environment(wheel, "cluster", wanted("cluster"))
    assert "--node-main" in run(cluster / "bin" / "aybiza", "run", "--help", cwd=tmp_path)
    imports = "import aybiza.console.member, aybiza.actors.node.client; print('joined')"
    assert run(cluster / "bin" / "python", "-c", imports, cwd=tmp_path) == "joined\n"


def test_the_voice_is_enough_for_the_command_and_a_node(wheel: Path, tmp_path: Path) -> None:
    voice = environment(wheel, "voice", wanted("voice"))
    assert "Usage: aybiza" in run(voice / "bin" / "aybiza", "--help", cwd=tmp_path)
    assert "claude" in run(voice / "bin" / "aybiza", "models", cwd=tmp_path)
    imports = "import aybiza.console.node, aybiza.console.emulated, aybiza.gateway.media_server"
    run(voice / "bin" / "python", "-c", imports, cwd=tmp_path)


def test_the_pytest_plugin_serves_a_project_that_has_the_runtime_alone(
    wheel: Path, tmp_path: Path
) -> None:
    project = environment(wheel, "tested", wanted() | closure(["pytest"]))
    (tmp_path / "test_echo.py").write_text(RUNTIME_TEST)
    printed = run(
        project / "bin" / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=tmp_path
    )
    assert "1 passed" in printed
