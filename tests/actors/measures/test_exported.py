"""Events as rows: which, and that any value can be kept."""

import json

from aybiza.actors.measures import events
from aybiza.actors.measures.exported import EXPORTED, MAX_CHARACTERS, row


def test_an_event_is_a_row_that_json_can_hold() -> None:
    told = {"call_id": "CA1", "reason": object(), "text": "x" * 10_000, "turn": 3, "region": None}
    made = row(events.CALL_STOP, {"seconds": 1.5}, told, 2.0, "vm-1")
    assert (made["at"], made["node"], made["event"]) == (2.0, "vm-1", "call.stop")
    assert made["call_id"] == "CA1" and made["measurements"] == {"seconds": 1.5}
    assert made["metadata"]["turn"] == 3 and made["metadata"]["region"] is None
    assert len(made["metadata"]["text"]) == MAX_CHARACTERS
    json.dumps(made)


def test_the_sinks_do_not_hear_of_themselves() -> None:
    own = {events.METRIC, events.FIGURES, events.SINK_FAILED, events.SINK_LOST}
    assert not own & set(EXPORTED)
    assert {events.COST, events.TURN_ENDED, events.PROVIDER_ERROR} <= set(EXPORTED)
