"""The table of faults, and the queue in which they wait."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.emulators.deepgram.faults import KINDS, Fault, Faults, fault, from_json, from_words


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


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_has_a_default_that_works_and_a_meaning(kind: str) -> None:
    for door in KINDS[kind].doors:
        assert fault(door, kind).kind == kind
    assert KINDS[kind].meaning


def test_words_make_a_fault() -> None:
    assert fault("speak", "close", "4001", "0.5") == Fault("speak", "close", 4001, 0.5)
    assert fault("listen", "refuse") == Fault("listen", "refuse", 503)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("agent", "close"), "door is one of listen, flux, speak, not 'agent'"),
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


@pytest.mark.parametrize(
    ("members", "complaint"),
    [
        ({"door": "speak", "kind": "never_sy"}, "did you mean never_say"),
        ({"door": "listen", "kind": "never_say"}, "kind is one of refuse"),
        ({"door": "lisen", "kind": "close"}, "did you mean listen"),
        (
            {"door": "speak", "kind": "close", "text": "x"},
            "parameter of close is one of",
        ),
        ({"door": "speak", "kind": "slow", "secods": 1}, "did you mean seconds"),
        ({"door": "speak", "kind": "slow", "seconds": "1"}, "seconds cannot be '1'"),
        ({"door": "speak", "kind": "slow", "seconds": True}, "seconds cannot be True"),
        ({"door": "speak", "kind": "slow", "times": 0}, "times is a whole number from 1"),
        ({"door": "listen", "kind": "low_confidence", "value": 1.5}, "value is a number from 0"),
        ([], "a fault is a JSON object"),
    ],
)
def test_what_is_misspelt_is_refused_with_the_nearest_names(members: Any, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        from_json(members)


def test_json_and_words_make_the_same_fault() -> None:
    made = from_json({"door": "speak", "kind": "slow", "seconds": 2, "times": None, "text": "a"})
    words = {"door": "speak", "kind": "slow", "seconds": "2", "times": "all", "text": "a"}
    assert made == from_words(words) == Fault("speak", "slow", seconds=2.0, text="a", times=None)


def test_a_fault_strikes_so_often_and_only_whom_and_what_it_is_about() -> None:
    faults = Faults()
    faults.add(Fault("speak", "slow", text="one", times=2, session="CA1*"))
    strike, other = faults.strike("speak", "CA1"), faults.strike("speak", "CA2")
    assert other("slow", "one") is None
    assert strike("slow", "two") is None
    assert strike("no_flushed", "one") is None
    assert [strike("slow", "one two") is None for _ in range(3)] == [False, False, True]
    assert faults.waiting() == []


def test_a_socket_fault_can_meet_every_socket() -> None:
    faults = Faults()
    faults.add(Fault("listen", "close", times=None))
    for _ in range(3):
        assert faults.take("listen", refusing=False) is not None
    faults.clear()
    assert faults.take("listen", refusing=False) is None
