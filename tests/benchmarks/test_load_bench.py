"""Anybody's server among emulators: what crosses between them is stamped."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import psutil
import pytest

from aybiza.benchmarks.load_bench import Bench, share
from aybiza.benchmarks.stranger import StrangerError

SERVER = """\
import http.server, os, sys
assert os.environ["TOLD"] == sys.argv[1] == os.environ["PORT"]
handler = http.server.SimpleHTTPRequestHandler
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), handler).serve_forever()
"""


async def test_a_server_is_told_its_ports_and_ends_with_the_bench(tmp_path: Path) -> None:
    (tmp_path / "server.py").write_text(SERVER)
    command = [sys.executable, str(tmp_path / "server.py"), "{port}"]
    async with Bench(command, "ws://here:{port}/{port2}", {"TOLD": "{port}"}, core=None) as bench:
        [pid] = bench.server.pids()
        port = bench.url.split(":")[2].partition("/")[0]
        assert port.isdecimal() and "{" not in bench.url
        assert bench.memory_mb() > 1
        assert bench.cpu_seconds() >= 0
        assert bench.stamps().stages("bababab", 1.0) is None
    assert pid not in psutil.pids()


async def test_one_core_is_the_server_s_alone_and_a_server_that_ends_is_told(
    tmp_path: Path,
) -> None:
    cores = os.sched_getaffinity(0)
    code = "import os, sys; sys.exit(f'cores {len(os.sched_getaffinity(0))}')"
    with pytest.raises(StrangerError, match="cores 1"):
        async with Bench([sys.executable, "-c", code], "", {}, core=min(cores)):
            pass
    assert os.sched_getaffinity(0) == cores


def test_a_share_of_no_values_is_none() -> None:
    assert share([], 0.5) is None
    assert (share([3.0, 1.0, 2.0], 0.5), share([3.0, 1.0, 2.0], 0.95)) == (2.0, 3.0)
