"""Who answers."""

from __future__ import annotations

from uuid import UUID

from aybiza.emulators.deepgram.identity import Identity


def test_ids_follow_from_seed_and_number_and_are_uuids() -> None:
    one = Identity.of(1, 1, "nova-3", "now")
    assert one == Identity.of(1, 1, "nova-3", "now")
    others = [Identity.of(1, 2, "nova-3", "now"), Identity.of(2, 1, "nova-3", "now")]
    assert len({one.request_id, *(other.request_id for other in others)}) == 3
    assert {one.model_uuid} == {other.model_uuid for other in others}
    assert UUID(one.request_id) and UUID(one.model_uuid)


def test_the_end_of_a_listen_socket_tells_what_it_heard() -> None:
    told = Identity.of(1, 1, "nova-3", "2026-01-01T00:00:00.000Z").listen_metadata(1.5, "ab")
    assert told["duration"] == 1.5 and told["sha256"] == "ab" and told["channels"] == 1
    assert told["created"] == "2026-01-01T00:00:00.000Z"
