"""The journal of requests."""

import asyncio

import pytest

from aybiza.emulators.bedrock.journal import CANCELLED, COMPLETED, Journal


def test_records_are_numbered_in_the_order_of_arrival() -> None:
    journal = Journal()
    journal.open("converse", "m", 1.0)
    journal.open("converse", "m", 2.0)
    assert [record.number for record in journal.records] == [1, 2]
    assert [record.number for record in journal.since(1)] == [2]


def test_the_oldest_records_go_first_and_the_count_goes_on() -> None:
    journal = Journal(limit=3)
    for at in range(5):
        journal.open("converse", "m", float(at))
    assert [record.number for record in journal.records] == [3, 4, 5]
    assert (journal.count, len(journal)) == (5, 3)


def test_the_first_outcome_stands() -> None:
    journal = Journal()
    record = journal.open("converse", "m", 1.0)
    journal.close(record, COMPLETED, 2.0)
    journal.close(record, CANCELLED, 3.0)
    assert (record.outcome, record.finished, journal.cancelled) == (COMPLETED, 2.0, 0)


def test_cancelled_requests_are_counted() -> None:
    journal = Journal()
    journal.close(journal.open("converse", "m", 1.0), CANCELLED, 2.0)
    assert journal.cancelled == 1


def test_a_record_shows_its_body_only_when_asked() -> None:
    record = Journal().open("converse", "m", 1.0)
    record.body = {"messages": []}
    assert "body" not in record.as_json()
    assert record.as_json(with_body=True)["body"] == {"messages": []}


async def test_wait_for_returns_when_a_record_fits() -> None:
    journal = Journal()
    waiting = asyncio.create_task(journal.wait_for(lambda r: r.outcome == COMPLETED))
    await asyncio.sleep(0)
    record = journal.open("converse", "m", 1.0)
    await asyncio.sleep(0)
    assert not waiting.done()
    journal.close(record, COMPLETED, 2.0)
    assert await waiting is record


async def test_wait_for_gives_up_in_time() -> None:
    with pytest.raises(TimeoutError):
        await Journal().wait_for(lambda record: True, timeout=0.01)


def test_clear_forgets_the_records_only() -> None:
    journal = Journal()
    journal.open("converse", "m", 1.0)
    journal.clear()
    assert (journal.records, journal.count) == ([], 1)
