"""What the journal keeps."""

from __future__ import annotations

from aybiza.emulators.deepgram.journal import JOURNAL_LIMIT, Journal


def test_it_tells_what_happened_in_order_and_forgets_the_oldest() -> None:
    journal = Journal()
    for number in range(JOURNAL_LIMIT + 5):
        journal.note("call", "odd" if number % 2 else "even", number=number)
    entries = journal.entries()
    assert [entry["number"] for entry in entries] == list(range(5, JOURNAL_LIMIT + 5))
    assert {entry["what"] for entry in journal.entries("odd")} == {"odd"}
    assert [entry["at"] for entry in entries] == sorted(entry["at"] for entry in entries)
    assert entries[0] == {**entries[0], "session": "call", "what": "odd"}


def test_its_times_are_those_of_its_clock() -> None:
    journal = Journal(lambda: 7.5)
    journal.note("call", "speak")
    assert journal.entries() == [{"at": 7.5, "session": "call", "what": "speak"}]
