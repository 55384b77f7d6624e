"""The wheel, the sdist and an editable install, beside a project with names like ours.

Each is built from a copy of the repository's own files and put into a fresh environment. What the
project depends on comes from the environment that runs the tests, through a `.pth` file, and so
does the distribution `console`, which has a package of the name that one of our folders has.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from tests.test_repository import PACKAGES, PROJECT, ROOT, files

pytestmark = pytest.mark.timeout(300)

TOPS = {*PACKAGES, "examples"}
OURS = [path.relative_to(ROOT) for path in files() if path.relative_to(ROOT).parts[0] in TOPS]
SHIPPED = {f"aybiza/{path}" for path in OURS} | {"aybiza/__init__.py", "aybiza/py.typed"}

STRANGER = {
    "config/__init__.py": "",
    "config/settings.py": 'COLOUR = "green"\n',
    "actors.py": """\
from dataclasses import dataclass

from aybiza.actors.runtime import From, GenServer, Request


@dataclass(frozen=True, slots=True)
class Add(Request[int]):
    amount: int


class Counter(GenServer[Add]):
    async def init(self, start: int) -> None:
        self.count = start

    async def handle_call(self, request: Add, from_: From) -> int:
        self.count += request.amount
        return self.count
""",
    "main.py": """\
import asyncio

import actors
import console.style  # type: ignore[import-untyped]
from config import settings

from aybiza.actors.runtime import VM
from aybiza.config.settings import Settings
from aybiza.supervisors import Supervisor, child


async def main() -> int:
    async with VM() as vm:
        await vm.start(Supervisor, [child(actors.Counter, 40, name="counter")])
        count: int = await vm.call("counter", actors.Add(2))
        return count


print(settings.COLOUR, asyncio.run(main()), console.style.__name__, Settings.__module__)
""",
    "wrong.py": """\
from actors import Add

from aybiza.actors.runtime import VM


async def ask(vm: VM) -> str:
    return await vm.call("counter", Add(1))
""",
}

RUNS = ["green", "42", "console.style", "aybiza.config.settings"]


def run(*command: str | Path, cwd: Path, expected: int = 0) -> str:
    """What the command prints; it ends with the expected code."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": str(cwd), "PIP_NO_INDEX": "1"},
    )
    assert done.returncode == expected, done.stdout + done.stderr
    return done.stdout


def put(wheel: Path, into: Path) -> None:
    """Install the wheel. What is never imported there is not compiled."""
    pip("install", "--no-deps", "--no-compile", wheel, cwd=into, into=into)


def pip(*arguments: str | Path, cwd: Path, into: Path | None = None) -> None:
    """Run pip, for the environment `into` if there is one."""
    target = () if into is None else ("--python", into / "bin" / "python")
    quiet = ("--quiet", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", *target, *quiet, *arguments, cwd=cwd)


def copied(to: Path) -> Path:
    """A copy of the repository's own files, links as links."""
    for path in (*files(), *(ROOT / "src" / "aybiza").iterdir()):
        copy = to / path.relative_to(ROOT)
        if path.is_symlink() or path.is_file():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, copy, follow_symlinks=False)
    return to


def built(source: Path, to: Path) -> Path:
    """The wheel that pip builds from a folder or an archive."""
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", to, source, cwd=to)
    (wheel,) = to.glob("*.whl")
    return wheel


def fresh(at: Path) -> Path:
    """An environment without anything."""
    venv.create(at, symlinks=True)
    return at


def site(environment: Path) -> Path:
    """Where an environment has its packages."""
    (folder,) = environment.glob("lib/python*/site-packages")
    return folder


def lend(environment: Path) -> None:
    """Let an environment use what the environment of the tests has, but not our own sources."""
    packages = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (site(environment) / "dependencies.pth").write_text("\n".join(sorted(packages)))


def add_console(environment: Path) -> None:
    """Put the registry's `console` into an environment, as pip has put it into that of the tests.

    It is complete with the list of its files, by which pip removes it.
    """
    for file in metadata.distribution("console").files or ():
        if ".." not in file.parts and file.suffix != ".pyc":
            copy = site(environment) / file
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(Path(str(file.locate())), copy)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("packaging")


@pytest.fixture(scope="module")
def source(place: Path) -> Path:
    return copied(place / "source")


@pytest.fixture(scope="module")
def wheel(place: Path, source: Path) -> Path:
    (place / "wheel").mkdir()
    return built(source, place / "wheel")


@pytest.fixture(scope="module")
def stranger(place: Path) -> Path:
    project = place / "stranger"
    for name, text in STRANGER.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    return project


@pytest.fixture(scope="module")
def environment(place: Path, wheel: Path) -> Path:
    """The wheel in an environment, beside the registry's `console`."""
    environment = fresh(place / "environment")
    put(wheel, environment)
    add_console(environment)
    lend(environment)
    return environment


def names(wheel: Path) -> set[str]:
    """The files that a wheel brings, its metadata left out."""
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def test_the_wheel_has_one_name_at_its_top_and_every_file_of_ours(wheel: Path) -> None:
    assert {name.partition("/")[0] for name in names(wheel)} == {"aybiza"}
    assert names(wheel) == SHIPPED


def test_the_files_that_are_no_code_are_there(wheel: Path) -> None:
    data = {name for name in names(wheel) if not name.endswith((".py", "py.typed"))}
    assert "aybiza/config/models.toml" in data
    assert any(name.startswith("aybiza/config/agents/") for name in data)
    assert any(name.startswith("aybiza/emulators/deepgram/model/") for name in data)
    assert any(name.endswith(".wav") for name in data)


def test_the_metadata_says_where_the_project_is_and_names_its_command(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (info,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        lines = archive.read(info).decode("utf-8").splitlines()
        commands = archive.read(info.replace("METADATA", "entry_points.txt")).decode("utf-8")
    urls = PROJECT["project"]["urls"]
    assert urls
    for name, address in urls.items():
        assert f"Project-URL: {name}, {address}" in lines
    assert "aybiza = aybiza.console.entry:main" in commands


def test_a_project_with_names_like_ours_runs(environment: Path, stranger: Path) -> None:
    printed = run(environment / "bin" / "python", "main.py", cwd=stranger)
    assert printed.split() == RUNS


def test_a_type_checker_finds_the_types(environment: Path, stranger: Path) -> None:
    python = environment / "bin" / "python"
    strict = (sys.executable, "-m", "mypy", "--strict", "--python-executable", python)
    told = run(*strict, "main.py", "wrong.py", cwd=stranger, expected=1)
    assert "wrong.py:7: error" in told
    assert 'expected "str"' in told
    assert "Found 1 error in 1 file (checked 2 source files)" in told


def test_the_command_works_where_other_packages_have_our_names(
    environment: Path, stranger: Path
) -> None:
    command = environment / "bin" / "aybiza"
    assert "Usage: aybiza" in run(command, "--help", cwd=stranger)
    assert "claude" in run(command, "models", cwd=stranger)


def test_the_demonstration_has_its_tools_where_there_are_no_sources(
    environment: Path, stranger: Path
) -> None:
    command = environment / "bin" / "aybiza"
    assert run(command, "agents", "check", "clinic", cwd=stranger).split()[:2] == ["ok", "clinic"]
    printed = run(command, "evals", "run", "clinic", "--n", "1", cwd=stranger)
    assert "1 of 1 calls" in printed


def test_the_command_outlives_a_package_of_the_name_of_one_of_our_folders(
    place: Path, wheel: Path, stranger: Path
) -> None:
    environment = fresh(place / "outlived")
    put(wheel, environment)
    add_console(environment)
    assert (site(environment) / "console" / "cli.py").is_file()
    pip("uninstall", "--yes", "console", cwd=place, into=environment)
    assert not (site(environment) / "console").exists()
    lend(environment)
    assert "Usage: aybiza" in run(environment / "bin" / "aybiza", "--help", cwd=stranger)


def test_an_editable_install_works_and_has_its_types(
    place: Path, source: Path, stranger: Path
) -> None:
    environment = fresh(place / "editable")
    add_console(environment)
    lend(environment)
    pip(
        *("install", "--no-deps", "--no-build-isolation", "--ignore-installed", "--editable"),
        source,
        cwd=place,
        into=environment,
    )
    python = environment / "bin" / "python"
    assert run(python, "main.py", cwd=stranger).split() == RUNS
    where = run(python, "-c", "import aybiza; print(aybiza.__file__)", cwd=stranger).strip()
    assert Path(where) == source / "src" / "aybiza" / "__init__.py"
    assert "Usage: aybiza" in run(environment / "bin" / "aybiza", "--help", cwd=stranger)
    run(
        *(sys.executable, "-m", "mypy", "--strict", "--python-executable", python, "main.py"),
        cwd=stranger,
    )


def test_the_sdist_builds_the_same_wheel(place: Path, source: Path, wheel: Path) -> None:
    archives = place / "sdist"
    archives.mkdir()
    build = f"import setuptools.build_meta as back; back.build_sdist({str(archives)!r})"
    run(sys.executable, "-c", build, cwd=source)
    (archive,) = archives.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(archives, filter="data")
    (unpacked,) = [path for path in archives.iterdir() if path.is_dir()]
    (archives / "wheel").mkdir()
    assert names(built(unpacked, archives / "wheel")) == names(wheel)
