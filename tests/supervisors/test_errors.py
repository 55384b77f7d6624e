"""Refusals, and how they read."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aybiza.actors.runtime import VM, GenServer, StartError, virtual_time
from aybiza.supervisors import (
    ChildSpec,
    DynamicSupervisor,
    Supervisor,
    SupervisorError,
    child,
)

FILE = __file__
SOURCE = Path(FILE).read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("max_children", "'max_children': the supervisor has all the children that it may have"),
        (("invalid_period", 0), "('invalid_period', 0): max_seconds is a whole number, at least 1"),
        (("boom", "spec"), "the child did not start: ('boom', 'spec')"),
        ((), "the child did not start: ()"),
        ([1], "the child did not start: [1]"),
    ],
)
def test_a_refusal_carries_its_term_and_says_what_it_means(term: Any, text: str) -> None:
    error = SupervisorError(term)
    assert error.term == term
    assert str(error) == text


def line(mark: str) -> str:
    """The file and the one line that ends with the comment `mark`."""
    (number,) = [n for n, text in enumerate(SOURCE, 1) if text.endswith(f"# {mark}")]
    return f"{FILE}:{number}"


class Good(GenServer):
    async def init(self, size: int = 0) -> None:
        if size > 9:
            raise ValueError("too large")  # child raises


NO_SPEC = "this is not a child specification"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"children": [Good]}, f"{NO_SPEC}: Good is a class, write child(Good, …)"),
        (
            {"children": [object.__new__(Good)]},
            f"{NO_SPEC}: it is an instance of Good, and each start makes its own: write "
            f"child(Good, …)",
        ),
        ({"children": [(Good, 5)]}, f"{NO_SPEC}: write child(Good, 5)"),
        (
            {"children": ["Good"]},
            f"{NO_SPEC}: 'Good' is neither made by child(Class, …) nor a mapping with id and start",
        ),
        ({"children": 5}, "children are a list of child specifications, [child(…), …], not 5"),
        (
            {"children": [child(Good), child(Good, 5)]},
            "two children have the id 'Good': give one of them another, child(…, id=…)",
        ),
        (
            {"strategy": "one_for_al"},
            "strategy 'one_for_al': did you mean 'one_for_all'? it is one_for_one, one_for_all, "
            "rest_for_one or simple_one_for_one",
        ),
        (
            {"strategy": 7},
            "strategy 7: it is one_for_one, one_for_all, rest_for_one or simple_one_for_one",
        ),
        (
            {"auto_shutdown": "any"},
            "auto_shutdown 'any': it is never, any_significant or all_significant",
        ),
        ({"max_restarts": -1}, "max_restarts is a whole number, at least 0"),
        (
            {"children": [child(Good, 10)]},
            f"its child 'Good' did not start: crashed with ValueError: too large: raised at "
            f"{line('child raises')}",
        ),
    ],
)
@virtual_time
async def test_a_supervisor_that_does_not_start_says_what_to_write(
    options: dict[str, Any], told: str
) -> None:
    async with VM("n") as vm:
        children = options.get("children", ())
        settings = {name: value for name, value in options.items() if name != "children"}
        with pytest.raises(StartError) as caught:
            await vm.start(Supervisor, children, **settings)  # starts
    text = str(caught.value)
    assert text.startswith(f"process did not start: {caught.value.reason}: ")
    assert text.endswith(f": {told}; at {line('starts')}")


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (
            lambda: child(Good, restart="permanant"),  # type: ignore[arg-type]  # restart
            "('invalid_restart_type', 'permanant'): restart 'permanant': did you mean 'permanent'? "
            "it is permanent, transient or temporary; at {restart}",
        ),
        (
            lambda: child(Good, shutdown="brutal-kill"),  # type: ignore[arg-type]  # shutdown
            "('invalid_shutdown', 'brutal-kill'): shutdown is a time in seconds, BRUTAL_KILL or "
            "INFINITY; did you mean 'brutal_kill'?; at {shutdown}",
        ),
        (
            lambda: ChildSpec("x", Good, type="wroker"),  # type: ignore[arg-type]  # class
            "('invalid_mfa', Good): start is an async function that is given the VM: Good is a "
            "class, write child(Good, …); at {class}",
        ),
        (
            lambda: ChildSpec("x", str, type="wroker"),  # type: ignore[arg-type]  # type
            "('invalid_child_type', 'wroker'): type 'wroker': did you mean 'worker'? it is worker "
            "or supervisor; at {type}",
        ),
    ],
)
def test_a_spec_that_is_wrong_says_what_was_meant_where_it_is_written(
    make: Callable[[], Any], told: str
) -> None:
    with pytest.raises(SupervisorError) as caught:
        make()
    (mark,) = re.findall(r"{(\w+)}", told)
    text = str(caught.value).replace(repr(Good), "Good")
    assert text == told.replace(f"{{{mark}}}", line(mark))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            object.__new__(Good),
            "an instance of Good, and makes one itself: write child(Good, …)",
        ),
        (VM, "the class VM, which is no GenServer: derive it from GenServer"),
    ],
)
def test_a_child_is_made_of_a_class(given: Any, told: str) -> None:
    with pytest.raises(TypeError) as caught:
        child(given)  # makes a child
    assert str(caught.value) == f"child was given {told} ({line('makes a child')})"


@virtual_time
async def test_a_dynamic_child_that_is_no_spec_is_told_at_its_line() -> None:
    async with VM("n") as vm:
        await vm.start(DynamicSupervisor, name="crew")
        with pytest.raises(TypeError) as caught:
            await DynamicSupervisor.start_child(vm, "crew", Good)  # type: ignore[arg-type]  # adds
    assert str(caught.value) == (
        f"{NO_SPEC}: Good is a class, write child(Good, …) ({line('adds')})"
    )


@virtual_time
async def test_a_supervisor_that_sets_up_no_children_is_told_at_its_start() -> None:
    class Forgetful(Supervisor):
        async def init(self) -> None:  # type: ignore[override]  # forgets
            self.size = 1

    async with VM("n") as vm:
        with pytest.raises(StartError) as caught:
            await vm.start(Forgetful)  # forgotten
    assert str(caught.value) == (
        f"process did not start: crashed with TypeError: Forgetful.init has not set up its "
        f"children: let it `await super().init(…)`, with what Forgetful is to start: raised in "
        f"Forgetful.init ({line('forgets')}); at {line('forgotten')}"
    )


@virtual_time
async def test_what_is_asked_of_one_that_is_no_supervisor_says_so() -> None:
    class Echo(GenServer):
        async def handle_call(self, request: Any, from_: Any) -> Any:
            return 0

    async with VM("n") as vm:
        await vm.start(Echo, name="echo")
        with pytest.raises(TypeError) as caught:
            await DynamicSupervisor.count_children(vm, "echo")
    assert str(caught.value) == (
        "count_children was asked of echo, which is no supervisor: it answered 0"
    )
