"""A module that cannot be imported says which extra brings the package that it needs."""

import ast
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from aybiza.config import extras
from tests.test_floors import ALLOWED, ROOT
from tests.test_repository import PROJECT

DECLARED = PROJECT["project"]["optional-dependencies"]
ALONG = {"anyio", "botocore", "httpx2", "mcp_types", "pydantic_core", "referencing", "urllib3"}
"""What a package that an extra declares brings along, and we import."""

IMPORT = re.compile(
    r"^\s*(?:from (\w+)[\w.]* import |import (\w+)[\w.]*(?: as \w+)?$)", re.MULTILINE
)


def imported_by(path: Path) -> set[str]:
    """The packages of others that a file imports, wherever in it."""
    text = path.read_text(encoding="utf-8")
    tops = {from_ or import_ for from_, import_ in IMPORT.findall(text)}
    return tops - {"aybiza", "structlog", "typing_extensions", ""} - set(sys.stdlib_module_names)


def test_each_package_that_a_module_imports_is_brought_by_an_extra() -> None:
    unknown = {
        f"{path.relative_to(ROOT)}: {package}"
        for folder in ALLOWED
        for path in (ROOT / folder).rglob("*.py")
        if "pipecat" not in path.parts
        for package in imported_by(path)
        if extras.extra_for(package) is None
    }
    assert unknown == set()


def test_each_package_is_named_with_the_extra_that_declares_it() -> None:
    distributions = metadata.packages_distributions()
    for extra, names in extras.BROUGHT.items():
        declared = {canonicalize_name(Requirement(line).name) for line in DECLARED[extra]}
        for package in set(names.split()) - ALONG:
            brings = {canonicalize_name(name) for name in distributions.get(package, ())}
            assert not brings or brings & declared, package


@pytest.mark.parametrize(
    ("package", "module", "extra"),
    [
        ("boto3.session", "aybiza.claude.client", "voice"),
        ("pydantic", "aybiza.claude.messages", "voice"),
        ("pydantic", "aybiza.actors.node.client", "cluster"),
        ("mcp", "aybiza.dialogue.tools.mcp_tools", "mcp"),
        ("django", "aybiza.claude.client", None),
    ],
)
def test_the_extra_is_that_of_the_package_and_enough_for_the_floor(
    package: str, module: str, extra: str | None
) -> None:
    assert extras.extra_for(package, module) == extra


NO_MODULE = "No module named "
WITHOUT = """\
import importlib, sys

class Without:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in MISSING:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

MISSING = {"structlog", "uvicorn", "typer", "boto3", "mcp"}
sys.meta_path.insert(0, Without())
for module in sys.argv[1:]:
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        print(error.name, error, sep=": ")
"""


def test_a_module_says_what_to_install_and_the_error_stays_what_it_was() -> None:
    modules = ["gateway.http_server", "console.nodes", "claude.client", "config.logs", "nosuch"]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, *(f"aybiza.{module}" for module in modules)],
        env={"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    install = "which is not installed: pip install"
    assert done.stdout.splitlines() == [
        f"uvicorn: aybiza.gateway.http_server needs uvicorn, {install} 'aybiza[voice]'",
        f"typer: aybiza.console.nodes needs typer, {install} 'aybiza[cluster]'",
        f"boto3: aybiza.claude.client needs boto3, {install} 'aybiza[voice]'",
        "structlog: No module named 'structlog'",
        "aybiza.nosuch: No module named 'aybiza.nosuch'",
    ]


def test_it_is_told_once_however_often_it_is_asked_for() -> None:
    before = [*sys.meta_path]
    extras.tell_of_missing()
    assert sys.meta_path == before
    assert sum(type(finder).__module__ == extras.__name__ for finder in before) == 1


def test_pythons_sources_are_found_as_before() -> None:
    import aybiza.claude.sentences as module

    assert ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    assert module.__spec__ is not None and module.__spec__.origin == module.__file__


def test_the_loader_tells_of_the_packages_of_extras_and_leaves_other_errors_as_they_are(
    tmp_path: Path,
) -> None:
    for name, missing in (("needs", "numpy"), ("odd", "django"), ("good", "")):
        path = tmp_path / f"{name}.py"
        path.write_text(f"raise ModuleNotFoundError({NO_MODULE + missing!r}, name={missing!r})")
        if not missing:
            path.write_text("VALUE = 7")
    loader = extras._Loader("aybiza.claude.needs", str(tmp_path / "needs.py"))
    with pytest.raises(
        ModuleNotFoundError, match=r"^aybiza.claude.needs needs numpy, .*\[voice\]'$"
    ):
        loader.exec_module(ModuleType("aybiza.claude.needs"))
    loader = extras._Loader("aybiza.odd", str(tmp_path / "odd.py"))
    with pytest.raises(ModuleNotFoundError, match=r"^No module named django$"):
        loader.exec_module(ModuleType("aybiza.odd"))
    made = ModuleType("aybiza.good")
    extras._Loader("aybiza.good", str(tmp_path / "good.py")).exec_module(made)
    assert made.VALUE == 7


def test_the_finder_looks_below_aybiza_alone() -> None:
    import aybiza.claude

    finder = extras._Finder()
    assert finder.find_spec("json.decoder") is None
    assert finder.find_spec("aybiza.claude.nosuch", aybiza.claude.__path__) is None
    found = finder.find_spec("aybiza.claude.client", aybiza.claude.__path__)
    assert found is not None and isinstance(found.loader, extras._Loader)
