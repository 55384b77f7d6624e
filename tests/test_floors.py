"""The floors of the architecture hold: a package imports only what lies below it.

An import inside a function or under TYPE_CHECKING counts like any other.
"""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pure import PURE

ROOT = Path(__file__).resolve().parent.parent

BELOW = {
    "config": set[str](),
    "claude": {"config"},
    "speech": {"config"},
    "dialogue": {"config"},
    "actors": {"config", "claude", "speech", "dialogue"},
    "supervisors": {"config", "claude", "speech", "dialogue", "actors"},
    "gateway": {"config", "claude", "speech", "dialogue", "actors", "supervisors"},
}
"""The floors from the lowest up, each with the packages that it may import."""

BESIDE = {
    "emulators": {"config", "speech"},
    "faults": {*BELOW, "emulators"},
    "benchmarks": {*BELOW, "emulators", "faults"},
    "console": {*BELOW, "emulators", "faults", "benchmarks"},
}
"""What no floor below the console may import, each with the packages that it may import."""

ALLOWED = BELOW | BESIDE

ALONE = {"actors/runtime": {"config"}}
"""Folders that may import, beside themselves, only these packages."""


def imported(path: Path, root: Path = ROOT) -> Iterator[str]:
    """The dotted names of all modules that this file imports, `aybiza.` left out."""
    for name in whole_names(path, root):
        yield name.removeprefix("aybiza.")


def whole_names(path: Path, root: Path) -> Iterator[str]:
    """The dotted names of all modules that this file imports."""
    package = ("aybiza", *path.relative_to(root).parent.parts)
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *filter(None, [node.module])])
            yield base
            yield from (f"{base}.{alias.name}".lstrip(".") for alias in node.names)


def crossings(folder: str, allowed: set[str], root: Path = ROOT) -> list[str]:
    """The imports of this folder's files that lead to a package of ours that is not allowed."""
    own = folder.replace("/", ".")
    return sorted(
        f"{path.relative_to(root)} imports {name}"
        for path in (root / folder).rglob("*.py")
        for name in set(imported(path, root))
        if name.partition(".")[0] in {*ALLOWED, "tests"}
        and name.partition(".")[0] not in allowed
        and not f"{name}.".startswith(f"{own}.")
        and not f"{own}.".startswith(f"{name}.")
    )


@pytest.mark.parametrize(("package", "allowed"), ALLOWED.items())
def test_a_package_imports_only_what_lies_below_it(package: str, allowed: set[str]) -> None:
    assert crossings(package, allowed) == []


@pytest.mark.parametrize(("folder", "allowed"), ALONE.items())
def test_the_runtime_stands_alone(folder: str, allowed: set[str]) -> None:
    assert crossings(folder, allowed) == []


def test_every_package_has_its_floor() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages == set(ALLOWED)


def test_no_floor_imports_what_stands_beside_it() -> None:
    for package, allowed in BELOW.items():
        assert not allowed & set(BESIDE), package


def test_the_pure_floors_are_the_lowest_and_those_that_coverage_is_measured_of() -> None:
    assert tuple(BELOW)[: len(PURE)] == PURE
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    measured = project["tool"]["coverage"]["run"]
    assert (measured["branch"], measured["source"]) == (True, list(PURE))
    assert f"\nPURE := {' '.join(PURE)}\n" in (ROOT / "Makefile").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("import gateway", "gateway"),
        ("import os, aybiza.gateway.http as door", "gateway.http"),
        ("from aybiza.gateway.http import app", "gateway.http"),
        ("from .. import gateway", "gateway"),
        ("def f():\n    from tests import helpers", "tests.helpers"),
        ("if TYPE_CHECKING:\n    import aybiza.emulators.phone", "emulators.phone"),
        ("import claude", "claude"),
    ],
)
def test_an_import_that_crosses_a_floor_is_found(
    tmp_path: Path, statement: str, found: str
) -> None:
    (tmp_path / "speech").mkdir()
    (tmp_path / "speech" / "sound.py").write_text(statement)
    assert f"speech/sound.py imports {found}" in crossings("speech", ALLOWED["speech"], tmp_path)


@pytest.mark.parametrize(
    "statement",
    [
        "import os",
        "from . import wave",
        "from .wave import x",
        "import speech.wave",
        "import config",
    ],
)
def test_an_import_that_stays_is_not_found(tmp_path: Path, statement: str) -> None:
    (tmp_path / "speech").mkdir()
    (tmp_path / "speech" / "sound.py").write_text(statement)
    assert crossings("speech", ALLOWED["speech"], tmp_path) == []


RUNTIME = "aybiza.actors.runtime."

PAIRS = {
    # Every process says in which VM it lives.
    ("process", "vm"),
    ("process", "starting"),
    ("holdings", "process"),
    # What users find in a VM's attributes has a type.
    ("vm", "debug"),
    ("vm", "ets"),
    ("vm", "registry"),
}
"""In the runtime, who names by TYPE_CHECKING what stands above it: those that have to know each
other."""


def arrows(folder: Path) -> Iterator[tuple[str, str, bool]]:
    """Each import of one module of the runtime by another, and whether it is for types only."""
    for path in sorted(folder.glob("*.py")):
        tree = ast.parse(path.read_bytes())
        for_types = {
            id(inner)
            for node in ast.walk(tree)
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
            for inner in ast.walk(node)
        }
        for node in ast.walk(tree):
            if not isinstance(node, ast.ImportFrom) or not node.module:
                continue
            if f"{node.module}." == RUNTIME:
                names = [alias.name for alias in node.names]
            else:
                names = [node.module.removeprefix(RUNTIME)]
            if f"{node.module}.".startswith(RUNTIME):
                yield from ((path.stem, name, id(node) in for_types) for name in names)


def circle(graph: dict[str, set[str]]) -> set[str]:
    """The modules that stand in a circle or above one; none if there is an order for all."""
    left = dict(graph)
    while lowest := [name for name, below in left.items() if not below & left.keys()]:
        for name in lowest:
            del left[name]
    return set(left)


def test_no_module_of_the_runtime_imports_what_imports_it() -> None:
    graph: dict[str, set[str]] = {}
    used = set()
    for name, other, for_types in arrows(ROOT / "actors" / "runtime"):
        graph.setdefault(name, set())
        if for_types and (name, other) in PAIRS:
            used.add((name, other))
        else:
            graph[name].add(other)
    assert circle(graph) == set()
    assert used == PAIRS


def test_a_circle_is_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == {"a", "b", "c"}
