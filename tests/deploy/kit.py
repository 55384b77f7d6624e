"""The files of deploy/, and what in them names something of the project."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from aybiza.config.settings import Settings, load

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"

OWN = {"REDIS_PASSWORD", "AYBIZA_DOMAIN", "AYBIZA_HTTP_UPSTREAM", "AYBIZA_MEDIA_UPSTREAM"}
"""Variables that the deployment's own files give one another."""

VARIABLE = re.compile(r"\b(?:AYBIZA|AWS|DEEPGRAM|TWILIO|REDIS|XDG)_[A-Z_]*[A-Z]\b")


def files() -> list[Path]:
    """All files of deploy/."""
    return sorted(path for path in DEPLOY.rglob("*") if path.is_file())


def text_of(name: str) -> str:
    """The file of this name in deploy/."""
    return (DEPLOY / name).read_text(encoding="utf-8")


def documents(name: str) -> list[dict[str, Any]]:
    """The YAML documents of a file."""
    return [document for document in yaml.safe_load_all(text_of(name)) if document]


def unit(name: str) -> dict[str, dict[str, list[str]]]:
    """A systemd unit: section, key, values."""
    sections: dict[str, dict[str, list[str]]] = {}
    for line in text_of(name).splitlines():
        if line.startswith("[") and line.endswith("]"):
            section = sections.setdefault(line[1:-1], {})
        elif line and not line.startswith(("#", ";")):
            key, equals, value = line.partition("=")
            assert equals, line
            section.setdefault(key, []).append(value)
    return sections


def environment(lines: Sequence[str]) -> dict[str, str]:
    """Lines of an environment file."""
    rows = [line.partition("=") for line in lines if line and not line.startswith("#")]
    return {name: value for name, _, value in rows}


def settings(variables: Mapping[str, str]) -> Settings:
    """What the node makes of these; empty ones are left out, as an operator who fills them in."""
    return load({name: value for name, value in variables.items() if value})


def seconds(text: str) -> float:
    """A time span such as 330 or 330s."""
    return float(text.removesuffix("s"))


def values_of(node: Any, key: str) -> Iterator[Any]:
    """All values at `key`, however deep."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name == key:
                yield value
            yield from values_of(value, key)
    elif isinstance(node, list):
        for item in node:
            yield from values_of(item, key)


def tool(name: str) -> str:
    """The program, or a skip that says what was not checked by it."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed: its own check of the files was not made")
    return found


def run(*command: str, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, **more)
