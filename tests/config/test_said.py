"""Shapes of values and errors without words."""

import enum
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.config.said import error_text, look_past, sentence, shape, show_whole

MARKER = "zebrafish"


class Phase(enum.Enum):
    LISTENING = "listening"


class Entry(NamedTuple):
    turn: int
    text: str


@dataclass
class Turn:
    number: int
    text: str
    audio: bytes = field(default=b"", repr=False)


class Slotted:
    __slots__ = ("empty", "text")

    def __init__(self, text: str) -> None:
        self.text = text


class Secretive:
    def __init__(self, text: object) -> None:
        self.text = text

    def __repr__(self) -> str:
        return f"Secretive({self.text})"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("I am Anna", "<str of 9>"),
        (b"abc", "<bytes of 3>"),
        (3, "3"),
        (0.5, "0.5"),
        (41573 * 1000, "<int>"),
        (None, "None"),
        (True, "True"),
        (Phase.LISTENING, "Phase.LISTENING"),
        (Turn, "Turn"),
        (Turn(1, "hello"), "Turn(number=1, text=<str of 5>)"),
        (Entry(1, "hello"), "Entry(turn=1, text=<str of 5>)"),
        ([1, "a"], "[1, <str of 1>]"),
        (deque([1]), "deque([1])"),
        ({"a": {"b": 1}}, "{<str of 1>: {<str of 1>: 1}}"),
        (Secretive("x"), "<Secretive>"),
        (list(range(30)), "[" + ", ".join(map(str, range(20))) + ", …]"),
        ([[[[["x"]]]]], "[[[[…]]]]"),
        (ValueError("hello"), "<ValueError>"),
    ],
)
def test_a_shape_tells_types_lengths_and_figures(value: Any, shown: str) -> None:
    assert shape(value) == shown


def test_names_of_the_programs_own_are_shown_at_the_top_only() -> None:
    assert shape({"owner": {"owner": "x"}}, {"owner"}) == "{'owner': {<str of 5>: <str of 1>}}"


def test_a_type_may_be_shown_whole() -> None:
    class Ticket(str):
        __slots__ = ()

    assert shape(Ticket("x")) == "<Ticket of 1>"
    show_whole(Ticket)
    assert shape(Ticket("x")) == "'x'"


values = st.recursive(
    st.none() | st.integers() | st.text() | st.just(f"I said {MARKER}.") | st.just(MARKER),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.just(MARKER) | st.text(), inner)
        | st.tuples(inner, inner)
        | st.builds(Secretive, inner)
        | st.builds(Turn, st.integers(), inner)
        | st.builds(Entry, st.integers(), inner)
    ),
    max_leaves=12,
)


@given(values)
def test_no_shape_holds_a_word(value: object) -> None:
    assert MARKER not in shape(value)


@given(values, st.sampled_from([ValueError, KeyError, RuntimeError, TypeError]))
def test_no_error_holds_a_word_of_what_it_was_raised_about(value: object, kind: Any) -> None:
    def handle(request: object) -> None:
        raise kind(f"cannot handle {request!r}")

    try:
        handle(value)
    except kind as error:
        told = error_text(error)
        text = sentence(str(error), error=error)
    assert MARKER not in told
    assert MARKER not in text
    assert "cannot handle" in told


def test_errors_behind_an_error_and_its_notes_lose_the_words_too() -> None:
    def heard(text: str) -> None:
        try:
            int(text)
        except ValueError as error:
            error.add_note(f"heard {text}")
            raise ExceptionGroup("several", [error, KeyError(text)]) from error

    with pytest.raises(ExceptionGroup) as caught:
        heard(f"one {MARKER}")
    told = error_text(caught.value)
    assert MARKER not in told
    assert "invalid literal for int()" in told


def test_what_a_program_is_made_of_is_not_searched() -> None:
    class World:
        def __init__(self) -> None:
            self.name = "broken"

    look_past(World)
    assert sentence("this is broken", World()) == "this is broken"


def test_figures_that_were_keyed_are_words() -> None:
    assert sentence("no account 415, pin 77", "415", "77", "4") == "no account …, pin …"


@pytest.mark.parametrize(
    "value",
    [
        Slotted(MARKER),
        {"a": [MARKER]},
        {MARKER: 1},
        MARKER.encode(),
        (((MARKER,),),),
    ],
)
def test_words_are_sought_in_members_items_keys_and_bytes(value: object) -> None:
    assert sentence(f"cannot take {MARKER}", value) == "cannot take …"


def test_a_word_is_not_cut_out_of_another() -> None:
    assert sentence("the zebrafishes", MARKER) == "the zebrafishes"
    assert sentence("nothing was said", "", 3, None) == "nothing was said"


def raised_in(value: Any, part: Callable[[Any], object] = lambda _: MARKER) -> BaseException:
    """An error about a part of this value, from a frame that has it."""

    def handle(request: object) -> None:
        raise ValueError(f"cannot take {part(request)}")

    try:
        handle(value)
    except ValueError as error:
        return error
    raise AssertionError


@pytest.mark.parametrize(
    "value",
    [
        "word " * 4_000 + MARKER,
        b"x " * 10_000 + MARKER.encode(),
        [{"n": str(n)} for n in range(3_000)] + [MARKER],
        [[{"n": str(n)} for n in range(60)] for _ in range(60)] + [[[[MARKER]]]],
        {"rows": list(range(100_000)), "inner": [[[[MARKER]]]]},
        ["text " * 300_000, MARKER],
    ],
    ids=["long", "bytes", "many", "deep", "figures", "very long"],
)
def test_a_word_is_hidden_however_much_is_at_hand(value: Any) -> None:
    error = raised_in(value)
    assert MARKER not in error_text(error)
    assert MARKER not in sentence(str(error), error=error)


def test_of_a_long_text_the_words_that_it_does_not_hold_are_shown() -> None:
    error = raised_in("word " * 4_000 + MARKER)
    assert sentence(str(error), error=error) == "cannot take …"


def test_of_many_errors_behind_one_another_none_holds_a_word() -> None:
    def handle(left: int) -> None:
        if left == 0:
            raise KeyError(f"about {MARKER}")
        try:
            handle(left - 1)
        except Exception as error:
            raise RuntimeError("outer") from error

    with pytest.raises(RuntimeError) as caught:
        handle(40)
    assert MARKER not in error_text(caught.value)


@pytest.mark.parametrize(
    "value", [date(1980, 1, 31), datetime(1980, 1, 31, 12, 5), Decimal("1234.56"), 4111111111111111]
)
def test_what_was_said_is_hidden_when_a_program_has_understood_it(value: object) -> None:
    error = raised_in(value, str)
    assert sentence(str(error), error=error) == "cannot take …"


def test_a_value_that_changes_while_it_is_looked_into_is_looked_into_again() -> None:
    class Changing(dict[str, str]):
        times = 0

        def items(self) -> Any:
            Changing.times += 1
            if Changing.times < 3 or self:
                raise RuntimeError("dictionary changed size during iteration")
            return super().items()

    assert sentence("cannot take it", Changing()) == "cannot take it"
    assert sentence("cannot take it", Changing(a="b")) == "…"
