"""Faults and the journal."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.emulators.deepgram.faults import JOURNAL_LIMIT, KINDS, Fault, Faults, Journal, fault


def test_each_fault_is_taken_once_by_its_own_door_in_order() -> None:
    faults = Faults()
    first, second = Fault("speak", "close", 1011), Fault("speak", "abort")
    other, refusal = Fault("listen", "stall"), Fault("speak", "refuse", 429)
    for waiting in (first, other, refusal, second):
        faults.add(waiting)
    assert faults.take("speak", refusing=True) is refusal
    assert faults.take("speak", refusing=True) is None
    assert faults.take("speak", refusing=False) is first
    assert faults.take("speak", refusing=False) is second
    assert faults.take("speak", refusing=False) is None
    assert faults.take("listen", refusing=False) is other


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_default_that_works(kind: str) -> None:
    assert fault("listen", kind).kind == kind


def test_words_make_a_fault() -> None:
    assert fault("speak", "close", "4001", "0.5") == Fault("speak", "close", 4001, 0.5)
    assert fault("listen", "refuse") == Fault("listen", "refuse", 503)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("agent", "close"), "door is one of listen, speak, not 'agent'"),
        (("listen", "explode"), "kind is one of refuse, close"),
        (("listen", "close", "abc"), "code is a whole number, not 'abc'"),
        (("listen", "close", "1.5"), "code is a whole number"),
        (("listen", "close", "1005"), "a close code that may be sent, not 1005"),
        (("listen", "close", "1006"), "a close code"),
        (("listen", "close", "99999999999999999999"), "a close code"),
        (("listen", "refuse", "200"), "an HTTP status from 400, not 200"),
        (("listen", "refuse", "999"), "an HTTP status"),
        (("listen", "abort", None, "soon"), "after is a number, not 'soon'"),
        (("listen", "abort", None, "nan"), "seconds from 0, not nan"),
        (("listen", "abort", None, "inf"), "seconds from 0"),
        (("listen", "abort", None, "-1"), "seconds from 0"),
    ],
)
def test_a_fault_that_there_cannot_be_is_refused(words: Any, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        fault(*words)


def test_the_journal_tells_what_happened_in_order_and_forgets_the_oldest() -> None:
    journal = Journal()
    for number in range(JOURNAL_LIMIT + 5):
        journal.note("call", "odd" if number % 2 else "even", number=number)
    entries = journal.entries()
    assert [entry["number"] for entry in entries] == list(range(5, JOURNAL_LIMIT + 5))
    assert {entry["what"] for entry in journal.entries("odd")} == {"odd"}
    assert [entry["at"] for entry in entries] == sorted(entry["at"] for entry in entries)
    assert entries[0] == {**entries[0], "session": "call", "what": "odd"}
