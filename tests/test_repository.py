"""What holds for every file of the repository."""

import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent

MAX_LINES = 500

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = sorted(path.parent.name for path in ROOT.glob("*/__init__.py"))

WITHOUT_TESTS: dict[str, str] = {
    "gateway/carriers/carrier.py": "a dataclass without behaviour; the tests of its users fill it",
    "actors/call/call_context.py": "a dataclass without behaviour; the tests of its users fill it",
    "actors/outbound/placer.py": "a protocol without behaviour; the tests of its users stand in",
    "benchmarks/pipecat/server.py": "`make resilience` runs it, in an environment of its own",
}
"""Modules without a test file of their own, each with the reason."""

STRANGERS = {"tests/packaging/test_wheel.py"}
"""Files that hold another project's sources, which has packages of its own with names like ours."""

NOT_OURS = re.compile(r"\.(?!ci$|git[a-z]+$).*|.*\.egg-info|build|dist|recordings|var")
"""Names at the top that tools make, not people."""

REGISTRY_HOSTS = [
    ".".join(parts)
    for parts in [
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("hex", "pm"),
        ("proxy", "golang", "org"),
    ]
]
PIP_SOURCES = ["-".join(parts) for parts in [("index", "url"), ("find", "links")]]
WORKPLACE = ["/".join(("", "work", part)) for part in ("main", "shared")] + [
    "/".join(("..", "shared"))
]


@cache
def files() -> list[Path]:
    """The files of the repository: those that git knows or would add; without git, all."""
    git = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(git, capture_output=True, text=True, timeout=30, check=False)
    if listed.returncode == 0 and listed.stdout:
        paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:
        paths = [
            path
            for top in ROOT.iterdir()
            if not NOT_OURS.fullmatch(top.name)
            for path in ([top] if top.is_file() else top.rglob("*"))
            if "__pycache__" not in path.parts
        ]
    return sorted(path for path in paths if path.is_file())


@cache
def texts() -> dict[str, str]:
    """The text files of the repository with what they hold."""
    contents = {str(path.relative_to(ROOT)): path.read_bytes() for path in files()}
    return {name: data.decode("utf-8") for name, data in contents.items() if b"\0" not in data}


def modules() -> list[str]:
    """The modules of the packages that hold code of their own."""
    return [
        name
        for name in texts()
        if name.partition("/")[0] in PACKAGES
        and name.endswith(".py")
        and not Path(name).name.startswith("__")
    ]


def test_the_files_are_found() -> None:
    assert "tests/test_repository.py" in texts()
    assert "config/settings.py" in modules()


def test_every_module_has_a_test_file_of_its_name() -> None:
    missing = [
        name
        for name in modules()
        if name not in WITHOUT_TESTS
        and not (ROOT / "tests" / Path(name).with_name(f"test_{Path(name).name}")).is_file()
    ]
    assert missing == []


def test_the_exceptions_exist_and_have_reasons() -> None:
    assert set(WITHOUT_TESTS) <= set(modules())
    assert all(WITHOUT_TESTS.values())


def test_every_module_opens_with_a_docstring() -> None:
    assert [
        name
        for name, text in texts().items()
        if name.endswith(".py") and not text.startswith(('"""', 'r"""'))
    ] == []


def test_no_module_is_too_long_to_read() -> None:
    lengths = {name: text.count("\n") for name, text in texts().items() if name.endswith(".py")}
    assert {name: lines for name, lines in lengths.items() if lines > MAX_LINES} == {}


@pytest.mark.parametrize("words", [REGISTRY_HOSTS, PIP_SOURCES, WORKPLACE])
def test_no_file_names_a_registry_or_the_place_where_it_was_written(words: list[str]) -> None:
    pattern = re.compile("|".join(map(re.escape, words)))
    found = {name: pattern.findall(text) for name, text in texts().items()}
    assert {name: hits for name, hits in found.items() if hits} == {}


def constraints() -> dict[str, str]:
    """The pinned version of each distribution."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pins}


def requirements() -> list[Requirement]:
    """What the project and its extras ask for, itself left out."""
    project = PROJECT["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    every = [Requirement(line) for names in lists for line in names]
    return [need for need in every if need.name != project["name"]]


def test_every_requirement_is_pinned_to_a_version_that_it_allows() -> None:
    pins = constraints()
    for need in requirements():
        version = pins.get(canonicalize_name(need.name))
        assert version, f"{need.name} has no pin"
        assert need.specifier.contains(version), f"{need} does not allow {version}"


def test_pins_are_names_and_versions_only() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = re.compile(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+")
    assert [line for line in lines if line[:1] != "#" and not pinned.fullmatch(line)] == []


def test_every_package_is_linked_where_it_is_imported_from() -> None:
    links = {
        path.name: path.resolve() for path in (ROOT / "src/aybiza").iterdir() if path.is_symlink()
    }
    assert links == {name: ROOT / name for name in (*PACKAGES, "examples")}


def test_the_sources_name_our_packages_by_their_whole_names() -> None:
    short = re.compile(rf"^\s*(?:from|import) (?:{'|'.join(PACKAGES)})(?:\.| import|$)", re.M)
    found = {name: short.findall(text) for name, text in texts().items() if name not in STRANGERS}
    assert {name: hits for name, hits in found.items() if hits} == {}
