"""Installing is done by uv, which is told what pip is told, and by pip where uv fails."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest

from tests.packaging import install

# pip writes options with dashes.
LISTED = """\
:env:.find_links='/opt/wheels /srv/wheels'
:env:.index_url='https://mine.example/simple'
global.index_url='https://ours.example/simple'
global.cert='/etc/ssl/ours.pem'
global.extra-index_url='file:///a/simple\\nfile:///b/simple'
install.no_compile='true'
""".replace("_", "-")


def test_uv_is_told_what_pip_is_told() -> None:
    assert install.environment(LISTED) == {
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_DEFAULT_INDEX": "https://mine.example/simple",
        "UV_INDEX": "file:///a/simple file:///b/simple",
        "UV_FIND_LINKS": "/opt/wheels,/srv/wheels",
        "SSL_CERT_FILE": "/etc/ssl/ours.pem",
    }


def test_pip_prints_what_is_read_here() -> None:
    told = {**os.environ, "PIP_INDEX_URL": "https://mine.example/simple"}
    command = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(command, env=told, capture_output=True, text=True, check=True).stdout
    assert install.environment(listed)["UV_DEFAULT_INDEX"] == "https://mine.example/simple"


@pytest.mark.parametrize(
    ("fails", "tried", "code"),
    [
        ((), ["pip", "uv"], 0),
        (("uv",), ["pip", "uv", "pip"], 0),
        (("pip",), ["pip", "pip"], 3),
        (("pip", "uv"), ["pip", "pip"], 3),
    ],
)
def test_where_uv_fails_pip_does_it(
    fails: Sequence[str], tried: list[str], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[list[str]] = []

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        if "config" not in command:
            ran.append(command)
        return subprocess.CompletedProcess(command, 3 if command[2] in fails else 0, "")

    monkeypatch.setattr(subprocess, "run", run)
    assert install.main(["-e", "."]) == code
    assert [command[2] for command in ran] == tried
    assert ran[0][-1] == "uv"
    assert ran[-1][-2:] == ["-e", "."]
