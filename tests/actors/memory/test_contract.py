"""The contract of all stores: journals whole and in order, one owner at a time, found, forgotten.

Each test runs over every store that there is; one whose server is not installed is left out aloud.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from aybiza.actors.memory.store import About, JournalStore, StoreError, Wanted
from tests.actors.memory.backings import NAMES, OPENED, Backing, backing, entries, numbers
from tests.actors.memory.backings import part as of
from tests.actors.memory.backings import rows as journal

ABOUT = About("+15550100", "clinic", "clinic", OPENED, OPENED + 86_400)
EVERY = Wanted()


@pytest.fixture(params=NAMES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backing]:
    made = backing(request.param, tmp_path, request)
    yield made
    made.close()


@pytest.fixture
def store(place: Backing) -> JournalStore:
    return place.store()


# Journals


def test_a_journal_comes_back_as_it_was_written_in_its_order(store: JournalStore) -> None:
    written = store.write([of("CA1", 1, 2), of("CA2", 1)])
    assert [(one.call_id, one.outcome, one.last) for one in written] == [
        ("CA1", "kept", 2),
        ("CA2", "kept", 1),
    ]
    store.write([of("CA1", 3)])
    assert store.read("CA1") == journal("CA1", 1, 2, 3)
    assert store.read("CA2") == journal("CA2", 1)


def test_a_call_that_nobody_knows_has_no_journal(store: JournalStore) -> None:
    assert store.read("CA7") == []
    assert store.find(EVERY, 10) == []


def test_a_part_that_is_written_again_changes_nothing(store: JournalStore) -> None:
    store.write([of("CA1", 1, 2)])
    (again,) = store.write([of("CA1", 1, 2, 3, other=True)])
    assert (again.outcome, again.last) == ("kept", 3)
    assert store.read("CA1") == [*journal("CA1", 1, 2), *journal("CA1", 3, other=True)]


def test_a_part_with_a_gap_before_it_is_not_kept_and_the_last_number_is_told(
    store: JournalStore,
) -> None:
    store.write([of("CA1", 1, 2)])
    written = store.write([of("CA1", 4, 5), of("CA2", 2), of("CA3", 1)])
    assert [(one.outcome, one.last) for one in written] == [
        ("behind", 2),
        ("behind", 0),
        ("kept", 1),
    ]
    assert numbers(store.read("CA1")) == [1, 2]
    assert store.read("CA2") == []


@pytest.mark.parametrize("text", ["", "naïve 電話 🎧", "\ud83d half a pair", "\0 '; DROP TABLE"])
def test_any_text_can_be_kept(store: JournalStore, text: str) -> None:
    store.write([of("CA1", 1, text=text)])
    assert store.read("CA1") == journal("CA1", 1, text=text)


def test_an_entry_that_is_not_quite_json_does_not_keep_others_from_being_written(
    store: JournalStore,
) -> None:
    store.write([of("CA1", 1, odd=b"\0", why={(1, 2): "x"}), of("CA2", 1)])
    assert store.read("CA1") == journal("CA1", 1, odd="b'\\x00'", why={})
    assert store.read("CA2") == journal("CA2", 1)


def test_a_long_journal_is_kept_whole(store: JournalStore) -> None:
    store.write([of("CA1", *range(1, 251), text="word " * 20)])
    assert numbers(store.read("CA1")) == list(range(1, 251))


def test_what_one_store_has_another_one_on_the_same_reads(place: Backing) -> None:
    place.store().write([of("CA1", 1, 2)])
    assert place.store().read("CA1") == journal("CA1", 1, 2)


def test_a_store_that_was_closed_opens_again(store: JournalStore) -> None:
    store.write([of("CA1", 1)])
    store.close()
    store.close()
    assert store.read("CA1") == journal("CA1", 1)


def test_threads_take_turns(store: JournalStore) -> None:
    def write(call_id: str) -> None:
        for number in range(1, 9):
            store.write([of(call_id, number)])

    threads = [threading.Thread(target=write, args=(f"CA{n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert all(numbers(store.read(f"CA{n}")) == list(range(1, 9)) for n in range(3))


# Owners


def test_who_claims_a_call_gets_its_journal_and_an_epoch_that_grows(place: Backing) -> None:
    one, two = place.store(), place.store()
    assert one.claim("CA1", 100, ABOUT) == (100, [])
    one.write([of("CA1", 1, 2, epoch=100)])
    assert two.claim("CA1", 100, ABOUT) == (101, journal("CA1", 1, 2))
    assert two.claim("CA1", 500, ABOUT).epoch == 500


def test_the_older_owner_is_refused_and_told_the_newer_epoch(place: Backing) -> None:
    one, two = place.store(), place.store()
    one.claim("CA1", 100, ABOUT)
    one.write([of("CA1", 1, 2, epoch=100)])
    two.claim("CA1", 200, ABOUT)
    (refused,) = one.write([of("CA1", 3, epoch=100, by="one")])
    assert (refused.outcome, refused.epoch, refused.last) == ("refused", 200, 2)
    two.write([of("CA1", 3, epoch=200, by="two")])
    assert one.write([of("CA1", 3, 4, epoch=100, by="one")])[0].outcome == "refused"
    assert two.read("CA1")[2:] == journal("CA1", 3, by="two")


def test_a_newer_owner_takes_a_call_by_writing_too(place: Backing) -> None:
    one, two = place.store(), place.store()
    one.write([of("CA1", 1, 2, 3, epoch=100, by="one")])
    assert two.write([of("CA1", 2, epoch=200, by="two")])[0].last == 2
    assert one.write([of("CA1", 4, epoch=100)])[0].outcome == "refused"
    assert two.read("CA1") == [*journal("CA1", 1, by="one"), *journal("CA1", 2, by="two")]


def test_a_part_that_is_refused_does_not_keep_others_from_being_written(place: Backing) -> None:
    one, two = place.store(), place.store()
    two.claim("CA1", 200, ABOUT)
    written = one.write([of("CA1", 1, epoch=100), of("CA2", 1, epoch=100)])
    assert [each.outcome for each in written] == ["refused", "kept"]
    assert one.read("CA1") == []


def test_of_owners_that_write_at_once_one_has_the_whole_journal(place: Backing) -> None:
    """Two nodes that both believe they have the call: whatever the order, no entry of the older one
    stands behind the newer one's first."""
    stores = [place.store(), place.store()]
    barrier = threading.Barrier(2)

    def write(store: JournalStore, epoch: int) -> None:
        barrier.wait(30)
        for number in range(1, 16):
            part = of("CA1", *range(1, number + 1), epoch=epoch, by=epoch)
            # Who does not get a turn is told so, and comes again, as the MemoryActor does.
            for _ in range(100):
                with contextlib.suppress(StoreError):
                    store.write([part])
                    break

    threads = [
        threading.Thread(target=write, args=(store, epoch))
        for store, epoch in zip(stores, (100, 200), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert stores[0].read("CA1") == journal("CA1", *range(1, 16), by=200)


# Calls


def test_a_call_is_listed_with_what_its_journal_tells(store: JournalStore) -> None:
    store.claim("CA1", 1, ABOUT)
    store.write([entries("CA1", {"type": "caller_turn", "turn": 1, "text": "Hi."})])
    (going_on,) = store.find(EVERY, 10)
    assert (going_on.outcome, going_on.turns, going_on.updated) == ("", 1, OPENED + 1)
    sentence = {"type": "agent_sentence", "turn": 2, "seq": 1, "text": "Bye."}
    end = {"type": "ended", "reason": "goodbye"}
    store.write([entries("CA1", sentence, end, first=2)])
    assert store.find(EVERY, 10) == [
        ("CA1", *ABOUT[:4], OPENED + 3, "goodbye", 2, ABOUT.expires),
    ]


def test_a_call_that_comes_back_after_a_fault_goes_on(store: JournalStore) -> None:
    fault = {"type": "ended", "reason": "fault"}
    turn = {"type": "caller_turn", "turn": 3, "text": "There?"}
    store.write([entries("CA1", fault)])
    assert store.find(EVERY, 10)[0].outcome == "fault"
    store.write([entries("CA1", turn, first=2)])
    assert store.find(EVERY, 10)[0].outcome == ""


def test_what_is_known_of_a_call_stays_whoever_claims_it_next(store: JournalStore) -> None:
    store.claim("CA1", 1, ABOUT)
    store.claim("CA1", 2, About(caller="+1", agent="other", opened=5.0))
    assert store.find(EVERY, 10)[0].caller == ABOUT.caller


def test_what_could_not_be_told_at_the_claim_is_told_by_a_part(store: JournalStore) -> None:
    store.write([of("CA1", 1, epoch=100, about=ABOUT)])
    assert store.find(Wanted(caller=ABOUT.caller), 10)[0].agent == "clinic"


def test_calls_are_found_by_caller_agent_outcome_and_period_the_newest_first(
    store: JournalStore,
) -> None:
    for n in range(6):
        about = About(f"+1555{n % 2}", f"agent{n % 3}", "t", OPENED + n * 3600, 0.0)
        store.claim(f"CA{n}", 1, about)
        end = {"type": "ended", "reason": "hangup" if n < 4 else "goodbye"}
        store.write([entries(f"CA{n}", end)])

    def found(limit: int = 10, **wanted: object) -> list[str]:
        asked = Wanted(**wanted)  # type: ignore[arg-type]
        return [record.call_id for record in store.find(asked, limit)]

    assert found() == ["CA5", "CA4", "CA3", "CA2", "CA1", "CA0"]
    assert found(limit=2) == ["CA5", "CA4"]
    assert found(caller="+15550") == ["CA4", "CA2", "CA0"]
    assert found(caller="+15550", limit=1) == ["CA4"]
    assert found(agent="agent1") == ["CA4", "CA1"]
    assert found(outcome="goodbye") == ["CA5", "CA4"]
    assert found(since=OPENED + 3600, until=OPENED + 3 * 3600) == ["CA2", "CA1"]
    assert found(caller="+15551", agent="agent2", outcome="goodbye") == ["CA5"]
    assert found(caller="+1999") == []


def test_a_call_that_is_forgotten_is_gone(store: JournalStore) -> None:
    store.claim("CA1", 1, ABOUT)
    store.write([of("CA1", *range(1, 60)), of("CA2", 1)])
    assert store.forget(["CA1", "CA7"]) == 1
    assert store.read("CA1") == []
    assert [record.call_id for record in store.find(EVERY, 10)] == ["CA2"]
    assert store.find(Wanted(caller=ABOUT.caller), 10) == []
    assert store.claim("CA1", 1, ABOUT) == (1, [])


# Redis lets a call go an hour after its last entry.
@pytest.mark.parametrize("place", [name for name in NAMES if name != "redis"], indirect=True)
def test_calls_whose_time_is_up_are_deleted_and_the_others_stay(store: JournalStore) -> None:
    for n, expires in enumerate((OPENED + 10, OPENED + 1000, 0.0)):
        store.claim(f"CA{n}", 1, ABOUT._replace(expires=expires))
        store.write([of(f"CA{n}", 1)])
    while store.sweep(OPENED + 100):
        pass
    assert {record.call_id for record in store.find(EVERY, 10)} == {"CA1", "CA2"}
    assert store.read("CA0") == []
