"""The cookie is changed while the cluster runs: two machines that are a step apart still meet."""

import os
import secrets
from pathlib import Path

import pytest

from aybiza.actors.node.cookie import read_cookie
from tests.actors.cluster.machines import Machine

OLD, NEW = secrets.token_hex(16), secrets.token_hex(16)


def written(path: Path, *cookies: str) -> str:
    path.touch(0o600)
    path.write_text("".join(f"{cookie}\n" for cookie in cookies))
    return str(path)


@pytest.mark.parametrize(
    ("behind", "ahead"),
    [((OLD,), (OLD, NEW)), ((OLD, NEW), (NEW, OLD)), ((NEW, OLD), (NEW,))],
    ids=["added", "put first", "taken out"],
)
def test_machines_a_step_apart_are_one_cluster(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    behind: tuple[str, ...],
    ahead: tuple[str, ...],
) -> None:
    files = written(tmp_path / "behind", *behind), written(tmp_path / "ahead", *ahead)
    monkeypatch.setitem(os.environ, "AYBIZA_COOKIE_FILE", files[0])  # the test asks as an operator
    with Machine("behind", AYBIZA_COOKIE_FILE=files[0]) as first:
        first.ready()
        with Machine("ahead", join=first, AYBIZA_COOKIE_FILE=files[1]) as second:
            second.ready()
            second.sees("ahead", "behind")
            first.sees("behind", "ahead")
            assert first.ask("behind", op="call", node="ahead", request=1)["reply"] == ["echo", 1]
            assert second.ask("ahead", op="call", node="behind", request=2)["reply"] == ["echo", 2]


def test_a_file_with_two_cookies_is_read_whole(tmp_path: Path) -> None:
    assert read_cookie(Path(written(tmp_path / "both", NEW, OLD))) == f"{NEW}\n{OLD}".encode()
