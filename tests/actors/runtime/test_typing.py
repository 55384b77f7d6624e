"""What a type checker knows of requests, replies and servers."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Generic, TypeVar, get_args

import pytest

from aybiza.actors.runtime import GenServer

T = TypeVar("T")

api = pytest.importorskip("mypy.api")

SNIPPET = '''
from dataclasses import dataclass
from typing import Any
from aybiza.actors.runtime import VM, From, GenServer, Pid, Request

@dataclass(frozen=True, slots=True)
class Get(Request[int]):
    """A typed request."""

@dataclass(frozen=True, slots=True)
class Names(Request[list[str]]):
    """Another."""

class Counter(GenServer[Get | Names, str]):
    async def handle_call(self, request: Get | Names, from_: From) -> Any: ...

class Deaf(GenServer[Get | Names, str]):
    async def handle_call(self, request: Get, from_: From) -> Any: ...

class Plain(GenServer):
    async def handle_call(self, request: Any, from_: From) -> Any: ...

async def main(vm: VM, pid: Pid, anything: Any) -> None:
    reveal_type(await vm.call(pid, Get()))
    reveal_type(await vm.call(pid, Names(), 1.0))
    reveal_type(await vm.call(pid, "get"))
    reveal_type(await vm.call(pid, anything))
    wrong: str = await vm.call(pid, Get())
'''


def test_a_reply_has_the_type_that_its_request_names(tmp_path: Path) -> None:
    snippet = tmp_path / "snippet.py"
    snippet.write_text(SNIPPET, encoding="utf-8")
    root = Path(__file__).parents[3]
    config = ["--config-file", str(root / "pyproject.toml"), "--no-error-summary"]
    # With a cache the runtime is checked once; the folder is the one that a check of all uses.
    out, err, _ = api.run([*config, "--cache-dir", str(root / ".mypy_cache"), str(snippet)])
    assert err == ""
    told = [line.split(": ", 1)[1] for line in out.splitlines() if "snippet.py" in line]
    revealed = [line for line in told if "Revealed type" in line]
    assert [line.split('"')[1].replace("builtins.", "") for line in revealed] == [
        "int",
        "list[str]",
        "Any",
        "Any",
    ]
    errors = [line for line in told if line.startswith("error")]
    assert len(errors) == 2, out
    assert 'Argument 1 of "handle_call" is incompatible' in errors[0]
    assert 'variable has type "str"' in errors[1]


def test_types_that_are_left_out_need_no_words_at_run_time_either() -> None:
    class Doubler(GenServer[int]):
        """For calls of one type, and any casts."""

    class Kept(GenServer[T, str], Generic[T]):
        """With a type of its own."""

    assert get_args(Doubler.__orig_bases__[0]) == (int, Any)  # type: ignore[attr-defined]
    assert get_args(GenServer[int, str]) == (int, str)
    assert get_args(Kept[bytes]) == (bytes,)
    with pytest.raises(TypeError):
        GenServer[int, str, bytes]  # type: ignore[misc]
