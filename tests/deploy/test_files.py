"""Every file of deploy/ can be read, and names only what there is."""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import typer
import yaml

from aybiza.actors.runtime import VM
from aybiza.config.settings import FIELDS
from aybiza.console.cli import app
from aybiza.faults.desk import agent
from aybiza.gateway.carriers.paths import CARRIERS
from aybiza.gateway.http import HttpDoor, http_app
from tests.deploy.kit import DEPLOY, OWN, VARIABLE, documents, environment, files, text_of, unit
from tests.gateway.kit import switchboard

OPEN_PORTS = {80, 443}
THEIRS = {
    53: "names",
    5038: "Asterisk's manager interface",
    6379: "Redis",
    8021: "FreeSWITCH's event socket",
    9092: "an example for AYBIZA_AUDIOSOCKET_PORT",
}


def balanced(text: str) -> None:
    """Brackets of a configuration close in order; strings and comments are left out."""
    opened = []
    for line in text.splitlines():
        bare = re.sub(r'"[^"]*"|`[^`]*`|(?<!\S)[#;].*', "", line)
        for character in bare:
            if character in "{(":
                opened.append(character)
            elif character in "})":
                assert opened.pop() == {"}": "{", ")": "("}[character], line
    assert not opened


READERS: dict[str, Callable[[str], object]] = {
    ".yaml": lambda text: list(yaml.safe_load_all(text)),
    ".json": json.loads,
    ".toml": tomllib.loads,
    ".xml": ElementTree.fromstring,
    ".service": lambda text: text,
    ".env": lambda text: environment(text.splitlines()),
    ".md": lambda text: text,
    ".js": balanced,
    ".conf": balanced,
    ".lua": lambda text: text,
    ".sh": lambda text: subprocess.run(["sh", "-n"], input=text, text=True, check=True),
    ".dockerignore": lambda text: text,
    ".txt": lambda text: text,
    "": lambda text: text,
}
"""By suffix: what reads a file, so that one that cannot be read is found."""

names = pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(DEPLOY)))


@names
def test_a_file_can_be_read(path: Path) -> None:
    assert path.suffix in READERS, f"say in READERS how {path.name} is read"
    READERS[path.suffix](path.read_text(encoding="utf-8"))


@names
def test_a_variable_is_a_setting_or_the_deployments_own(path: Path) -> None:
    named = set(VARIABLE.findall(path.read_text(encoding="utf-8")))
    assert named - set(FIELDS) - OWN == set()


def test_the_deployments_own_variables_are_used() -> None:
    named = {name for path in files() for name in VARIABLE.findall(path.read_text("utf-8"))}
    assert named >= OWN


def commands() -> list[list[str]]:
    """Every `aybiza …` that a file runs or shows, as its words."""
    found = [shlex.split(line) for line in unit("systemd/aybiza.service")["Service"]["ExecStart"]]
    dockerfile = text_of("docker/Dockerfile")
    entry = [
        ast.literal_eval(m) for m in re.findall(r"^(?:ENTRYPOINT|CMD) (\[.*\])$", dockerfile, re.M)
    ]
    found.append([word for words in entry for word in words])
    for document in documents("kubernetes/nodes.yaml"):
        container = document["spec"]["template"]["spec"]["containers"][0]
        found.append(["aybiza", *container["args"]])
        shell = container["lifecycle"]["preStop"]["exec"]["command"]
        assert shell[:2] == ["sh", "-c"]
        found.append(shlex.split(shell[2]))
    readme = text_of("README.md")
    shown = re.findall(
        r"(?:^ {4}|`)(?:sudo |kubectl exec [^`\n]*-- )?(aybiza [^`\n#]+)", readme, re.M
    )
    return [*found, *(shlex.split(line) for line in shown)]


def test_commands_are_found() -> None:
    assert ["aybiza", "run"] in commands()
    assert any("drain" in command for command in commands())


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_a_command_can_be_given_as_it_stands(words: list[str]) -> None:
    assert Path(words[0]).name == "aybiza"
    command: Any = typer.main.get_command(app)
    rest = words[1:]
    while hasattr(command, "get_command"):
        assert rest, f"{' '.join(words)} names no command"
        found = command.commands.get(rest[0])
        assert found is not None, f"there is no `aybiza {rest[0]}`"
        command, rest = found, rest[1:]
    with command.make_context(words[0], list(rest)):
        pass


def ports(text: str) -> set[int]:
    """The numbers that stand where a port does."""
    shapes = (
        r"(?:[A-Za-z0-9.\]]|\}):(\d{2,5})\b(?![:.]\d)",
        r"[Pp]ort\w*: (\d{2,5})\b",
        r"EXPOSE ([\d ]+)",
        r"listen \S*?(\d+) ssl",
    )
    text = re.sub(r"USER \S+", "", text)
    found = [n for shape in shapes for match in re.findall(shape, text) for n in match.split()]
    return {int(number) for number in found}


@names
def test_a_port_is_a_nodes_or_a_known_one(path: Path) -> None:
    own = {FIELDS[name].default for name in ("AYBIZA_HTTP_PORT", "AYBIZA_MEDIA_PORT")}
    own.add(FIELDS["AYBIZA_CLUSTER_PORT"].default)
    text = re.sub(r"sha256:\S+|python:\S+|redis:\d\S*|caddy:\d\S*", "", path.read_text("utf-8"))
    assert ports(text) - own - OPEN_PORTS - set(THEIRS) == set()


def test_ports_are_found() -> None:
    assert ports(text_of("docker/Dockerfile")) == {3000, 8080, 1900}


def routes() -> set[str]:
    """The paths of both doors."""
    door = HttpDoor(VM("test"), "ws://x/media", "http://x", switchboard(agent()))
    http = {route.path for route in http_app(door).routes if hasattr(route, "path")}
    media = {carrier.path for carrier in CARRIERS.values()}
    webhooks = {carrier.webhook for carrier in CARRIERS.values()} - {""}
    return http | media | webhooks


@names
def test_a_path_is_one_of_the_doors(path: Path) -> None:
    text = path.read_text("utf-8")
    named = set(
        re.findall(
            r"(?<![\w.}\]/])/(?:media|incoming|status|healthz|readyz|metrics)(?:/[a-z]+)?\b", text
        )
    )
    assert named <= routes()


def test_the_settings_example_is_json_where_it_says_so() -> None:
    origins = tomllib.loads(text_of("cloudflare/wrangler.toml"))["vars"]["ORIGINS"]
    assert all(origin.startswith("https://") for origin in json.loads(origins).values())


def test_the_readme_tells_of_every_folder() -> None:
    folders = {path.name for path in DEPLOY.iterdir() if path.is_dir()}
    assert [name for name in folders if f"{name}/" not in text_of("README.md")] == []
