"""How long a service asks to be left alone, and how long it is."""

from __future__ import annotations

import doctest
from typing import Any

from aybiza.config import asked_waits
from aybiza.config.asked_waits import MOST_SECONDS, Pause, asked_wait
from tests.cases import each

THEN = "Wed, 21 Oct 2026 07:28:00 GMT"
LATER = "Wed, 21 Oct 2026 07:28:30 GMT"

ASKED: list[tuple[dict[str, str], float]] = [
    ({}, 0.0),
    ({"Retry-After": "3"}, 3.0),
    ({"RETRY-AFTER": " 1.5 "}, 1.5),
    ({"retry-after": "0"}, 0.0),
    ({"retry-after": "-5"}, 0.0),
    ({"retry-after": "1e9"}, 0.0),
    ({"retry-after": "inf"}, 0.0),
    ({"retry-after": "nan"}, 0.0),
    ({"retry-after": "²"}, 0.0),
    ({"retry-after": "9" * 5000}, 0.0),
    ({"retry-after": "999999"}, MOST_SECONDS),
    ({"retry-after": "soon"}, 0.0),
    ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
    ({"retry-after": LATER, "date": THEN}, 30.0),
    ({"retry-after": THEN, "date": LATER}, 0.0),
    ({"retry-after": LATER}, 0.0),
    ({"retry-after": "Wed, 99 Oct 9999 07:28:30 GMT", "date": THEN}, 0.0),
]


@each(ASKED)
def test_what_a_service_asks_for_is_read_and_bounded(headers: dict[str, str], seconds: Any) -> None:
    assert asked_wait(headers) == seconds


def test_a_pause_is_kept_to_its_bound_and_never_shortened() -> None:
    pause = Pause(most=10.0)
    assert pause.left(0.0) == 0.0 and pause.told({}, 0.0) == 0.0
    assert pause.told({"retry-after": "30"}, 1.0) == 10.0
    pause.told({"retry-after": "2"}, 1.0)
    assert pause.left(1.0) == 10.0 and pause.left(8.0) == 3.0 and pause.left(11.0) == 0.0


def test_its_examples_hold() -> None:
    assert doctest.testmod(asked_waits).failed == 0
