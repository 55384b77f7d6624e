"""The usual mistakes in defining and starting, each with the whole text of what is said to it."""

from __future__ import annotations

import asyncio
import functools
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from aybiza.actors.runtime import (
    VM,
    GenServer,
    GenStateMachine,
    StartError,
    Task,
    virtual_time,
)
from tests.actors.runtime.teaching_kit import Counter, counting, line, pidless, reported

# When a class is defined


def test_a_callback_that_is_a_plain_function_is_refused_where_it_is_written() -> None:
    with pytest.raises(TypeError) as caught:

        class Plain(GenServer):
            def handle_call(self, request: Any, from_: Any) -> Any:  # plain
                return 1

    assert str(caught.value) == (
        f"Plain.handle_call at {line('plain')} is a plain function, and the runtime awaits it: "
        f"write `async def handle_call(self, request, from_)`"
    )


def test_a_callback_with_a_yield_in_it_is_refused_where_it_is_written() -> None:
    with pytest.raises(TypeError) as caught:

        class Yields(GenServer):
            async def handle_call(self, request: Any, from_: Any) -> Any:  # yields
                yield request

    assert str(caught.value) == (
        f"Yields.handle_call at {line('yields')} is an async generator, for there is a `yield` in "
        f"it, and the runtime awaits it: `return` what it gives, and send the rest as messages"
    )


def test_a_state_machine_is_looked_at_for_its_own_callbacks() -> None:
    with pytest.raises(TypeError) as caught:

        class Plain(GenStateMachine):
            def handle_event(self, type: Any, content: Any, state: Any, data: Any) -> Any:  # event
                return None

    assert str(caught.value) == (
        f"Plain.handle_event at {line('event')} is a plain function, and the runtime awaits it: "
        f"write `async def handle_event(self, type, content, state, data)`"
    )


def test_a_callback_that_does_not_take_what_it_is_given_is_refused() -> None:
    with pytest.raises(TypeError) as caught:

        class Few(GenServer):
            async def handle_call(self, request):  # type: ignore  # few
                return 1

    assert str(caught.value) == (
        f"Few.handle_call at {line('few')} takes (self, request), and the runtime gives it (self, "
        f"request, from_): write `async def handle_call(self, request, from_)`"
    )


def test_a_state_that_would_have_to_be_awaited_is_refused() -> None:
    with pytest.raises(TypeError) as caught:

        class Late(GenServer):
            async def get_state(self) -> Any:  # late
                return 1

    assert str(caught.value) == (
        f"Late.get_state at {line('late')} is a coroutine function, and the runtime does not await "
        f"it: write `def get_state`"
    )


def test_a_callback_of_a_misspelt_name_is_warned_of_at_its_own_line() -> None:
    with pytest.warns(UserWarning) as warned:

        class Misspelt(GenServer):
            async def handle_infos(self, message: Any) -> None:  # misspelt
                """Nobody calls it."""

    (warning,) = warned
    assert f"{warning.filename}:{warning.lineno}" == line("misspelt")
    assert str(warning.message) == (
        "nobody calls Misspelt.handle_infos: did you mean handle_info? A method of your own needs "
        "a name that is less like a callback's"
    )


def test_methods_that_only_begin_like_callbacks_are_left_alone() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")

        class Fine(GenServer):
            async def handle_call(self, request: Any, from_: Any) -> Any:
                """A callback."""

            async def handle_calls(self) -> None:
                """Near to one that is there."""

            def _handle_inf(self) -> None:
                """Not for others."""

            async def handle_info(self, *messages: Any, more: int = 0) -> None:
                """Takes what it is given, and might take more."""

            def handle_call_of_an_operator(self) -> None:
                """Further from any."""

            @functools.wraps(Counter.total)
            def handle_cast(self, request: Any) -> Any:  # type: ignore[override]
                """Says that it stands for a coroutine function."""


# When a process is started


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            lambda: object.__new__(Counter),
            "an instance of Counter, and makes one itself: write vm.start(Counter, …)",
        ),
        (lambda: Task, "the class Task, which is no GenServer: derive it from GenServer"),
        (
            lambda: counting,
            "the function counting: a function runs by vm.spawn(counting) or Task.start(vm, "
            "counting)",
        ),
        (
            lambda: Counter.total(object.__new__(Counter)),
            "the coroutine Counter.total: give it a class derived from GenServer",
        ),
        (lambda: "Counter", "'Counter': it takes a class derived from GenServer"),
    ],
)
@virtual_time
async def test_what_is_no_class_of_servers_is_not_started(
    given: Callable[[], Any], told: str
) -> None:
    async with VM("n") as vm:
        with pytest.raises(TypeError) as caught:
            await vm.start(given())  # starts anything
        assert str(caught.value) == f"vm.start was given {told} ({line('starts anything')})"


async def failed(vm: VM, server: Any, *args: Any, **options: Any) -> str:
    """What the start says that fails, without the line of this function."""
    with pytest.raises(StartError) as caught:
        await vm.start(server, *args, **options)  # fails
    told = str(caught.value)
    assert told.endswith(f"; at {line('fails')}")
    return pidless(told.removesuffix(f"; at {line('fails')}"))


@virtual_time
async def test_an_init_that_raises_is_named_with_its_line() -> None:
    class Bad(GenServer):
        async def init(self) -> None:
            raise LookupError("no configuration")  # init raises

    async with VM("n") as vm:
        assert await failed(vm, Bad) == (
            f"process did not start: crashed with LookupError: no configuration: raised in "
            f"Bad.init, at {line('init raises')}"
        )


@virtual_time
async def test_arguments_that_init_does_not_take_are_told_with_what_it_takes() -> None:
    async with VM("n") as vm:
        assert await failed(vm, Counter) == (
            f"process did not start: crashed with TypeError: Counter.init() missing 1 required "
            f"positional argument: 'start': what follows the class is given to Counter.init(self, "
            f"start) ({line('Counter.init')})"
        )


@virtual_time
async def test_an_argument_error_of_the_users_own_is_not_taken_for_one_of_init() -> None:
    class Own(GenServer):
        async def init(self) -> None:
            counting()  # type: ignore[call-arg,unused-coroutine]  # own argument error

    async with VM("n") as vm:
        assert (await failed(vm, Own)).endswith(
            f"raised in Own.init, at {line('own argument error')}"
        )


@virtual_time
async def test_an_init_that_returns_a_value_is_told_what_it_returns() -> None:
    class Returns(GenServer):
        async def init(self) -> Any:  # returns
            return {"state": 1}

    async with VM("n") as vm:
        assert await failed(vm, Returns) == (
            f"process did not start: BadReturnValue(value={{'state': 1}}): Returns.init "
            f"({line('returns')}) returned {{'state': 1}}: return None, IGNORE, Continue(…) or "
            f"Timeout(…)"
        )


@virtual_time
async def test_an_init_that_takes_too_long_is_told_what_it_can_do() -> None:
    class Slow(GenServer):
        async def init(self) -> None:  # slow
            await asyncio.sleep(9)

    async with VM("n") as vm:
        assert await failed(vm, Slow) == (
            f"process did not start: timeout: Slow.init ({line('slow')}) took longer than its "
            f"limit: start it with a longer `timeout`, or return Continue(…) from it and do the "
            f"work in handle_continue"
        )


@virtual_time
async def test_a_name_that_is_taken_is_told_with_its_owner() -> None:
    async with VM("n") as vm:
        await counting(vm)
        assert await failed(vm, Counter, 5, name="counter") == (
            "process did not start: ('already_started', <n.1>): <n.1> lives and has this name: "
            "choose another one, or stop that process first"
        )


@virtual_time
async def test_a_coroutine_where_a_function_is_meant_is_told_at_its_line() -> None:
    async with VM("n") as vm:
        starts: list[tuple[str, Callable[[Any], Any]]] = [
            ("vm.spawn", vm.spawn),
            ("a task", functools.partial(Task.start, vm)),
            ("a task", functools.partial(Task.async_, vm)),
        ]
        for giver, start in starts:
            with pytest.raises(TypeError) as caught:
                start(counting(vm))  # coroutine
            assert str(caught.value) == (
                f"{giver} was given the coroutine counting: give it the function, and behind it "
                f"the arguments ({line('coroutine')})"
            )
            with pytest.raises(TypeError) as caught:
                start(5)  # nothing to call
            assert str(caught.value) == (
                f"{giver} was given 5: it takes a coroutine function and its arguments "
                f"({line('nothing to call')})"
            )


@virtual_time
async def test_a_constructor_with_arguments_is_told_to_be_an_init() -> None:
    class Made(GenServer):
        def __init__(self, start: int) -> None:
            self.start = start

    name = f"{Made.__qualname__}.__init__() missing 1 required positional argument: 'start'"
    async with VM("n") as vm:
        with pytest.raises(StartError) as caught:
            await vm.start(Made, 5)  # made
    assert str(caught.value) == (
        f"process did not start: crashed with TypeError: {name}: what follows the class is given "
        f"to init, and __init__ gets nothing: write `async def init(self, …)` in Made; "
        f"at {line('made')}"
    )


@virtual_time
async def test_no_line_of_pythons_own_is_told_for_the_callers() -> None:
    async with VM("n") as vm:
        with pytest.raises(TypeError) as caught:
            await asyncio.ensure_future(vm.start("Counter"))  # type: ignore[arg-type]
    assert str(caught.value) == (
        "vm.start was given 'Counter': it takes a class derived from GenServer"
    )


def plainly() -> int:  # plainly
    return 1


async def stepwise() -> Any:  # stepwise
    yield 1


@pytest.mark.parametrize("giver", ["vm.spawn", "a task"])
@virtual_time
async def test_an_async_generator_in_place_of_a_coroutine_function_is_told_of_in_the_log(
    giver: str,
) -> None:
    async with VM("n") as vm:
        start = vm.spawn if giver == "vm.spawn" else functools.partial(Task.start, vm)
        _, entry = await reported(lambda: start(stepwise))
    assert entry["exception"].splitlines()[-1] == (
        f"{giver} was given the async generator stepwise ({line('stepwise')}): give it a coroutine "
        f"function that goes through it with `async for`"
    )


@pytest.mark.parametrize("giver", ["vm.spawn", "a task"])
@virtual_time
async def test_a_plain_function_in_place_of_a_coroutine_function_is_told_of_in_the_log(
    giver: str,
) -> None:
    async with VM("n") as vm:
        start = vm.spawn if giver == "vm.spawn" else functools.partial(Task.start, vm)
        _, entry = await reported(lambda: start(plainly))  # type: ignore[arg-type]
    assert entry["exception"].splitlines()[-1] == (
        f"{giver} was given the plain function plainly ({line('plainly')}): define it with `async "
        f"def`, or run it in a thread, Task.start_blocking(vm, plainly, …)"
    )
