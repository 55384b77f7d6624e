"""What is charged for is added up by what it was for."""

from aybiza.actors.measures import costs
from aybiza.actors.runtime import VM
from aybiza.faults.bill import Bill


async def test_whole_answers_and_audio_are_told_apart_from_the_rest() -> None:
    vm = VM()
    bill = Bill([vm])
    costs.enter(vm, 5, call_id="CA1", what="model", quantity=3)
    costs.enter(vm, 7, call_id="CA1", what="model", quantity=3, estimated=True)
    costs.enter(vm, 11, call_id="CA1", what="listen", quantity=2.5)
    costs.enter(vm, 13, call_id="CA1", what="speak", quantity=40.0)
    assert (bill.told, bill.answers, bill.heard_s) == (36, 5, 2.5)
    assert sum(costs.ledger(vm).days.values()) == bill.told
