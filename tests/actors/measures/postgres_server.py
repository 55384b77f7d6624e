"""A PostgreSQL server for tests: its own folder, a free port of loopback, gone with the test run.

    with postgres_server() as url: …

It runs as another user where the tests run as root, which PostgreSQL refuses to be.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 60
_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/local/pgsql/bin", "/opt/homebrew/opt/postgresql*/bin")


def program(name: str) -> str | None:
    """Where a program of PostgreSQL is; None where it is not installed."""
    found = shutil.which(name)
    if found is not None:
        return found
    folders = [folder for place in _PLACES for folder in sorted(Path("/").glob(place[1:]))]
    return next((str(path / name) for path in reversed(folders) if (path / name).exists()), None)


@contextmanager
def postgres_server() -> Iterator[str]:
    """The address of a database in a new server."""
    initdb, pg_ctl = program("initdb"), program("pg_ctl")
    assert initdb is not None and pg_ctl is not None
    user = _user()
    folder = Path(tempfile.mkdtemp(prefix="aybiza-postgres-"))
    try:
        if user is not None:
            os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
        data = str(folder / "data")
        _run(user, initdb, "-D", data, "-A", "trust", "-U", "aybiza", "--no-sync", "-E", "UTF8")
        port = _free_port()
        options = f"-p {port} -h 127.0.0.1 -c unix_socket_directories= -c fsync=off"
        log = str(folder / "log")
        _run(
            user,
            pg_ctl,
            "-D",
            data,
            "-l",
            log,
            "-w",
            "-t",
            str(START_SECONDS),
            "-o",
            options,
            "start",
        )
        try:
            yield f"postgresql://aybiza@127.0.0.1:{port}/postgres"
        finally:
            _run(user, pg_ctl, "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def _run(user: str | None, *command: str) -> None:
    quiet = subprocess.DEVNULL
    subprocess.run(
        command,
        check=True,
        user=user,
        stdin=quiet,
        stdout=quiet,
        stderr=quiet,
        cwd="/",
        timeout=2 * START_SECONDS,
    )


def _user() -> str | None:
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in names)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])
