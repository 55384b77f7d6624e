"""The front desk of a world: a model by lists, and tools that tell what they did."""

import warnings

from aybiza.dialogue.toolbox import ToolRun
from aybiza.emulators.bedrock import use
from aybiza.faults.desk import Desk, agent, answering
from aybiza.faults.virtual import ambient


def asked(text: str, *more: object) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": [{"text": text}]}, *more]}


def test_the_model_gives_its_list_one_by_one() -> None:
    respond = answering({"A room?": [use("look_up", {}, "Let me see."), "Yes."]})
    result = {"role": "user", "content": [{"toolResult": {"toolUseId": "1", "content": []}}]}
    assert respond(asked("A room?")).text == "Let me see."
    assert respond(asked("A room?", result)).text == "Yes."
    assert respond(asked("A room?", result, result)).text == "Yes."


def test_a_text_that_is_not_in_the_list_is_repeated() -> None:
    assert answering({})(asked("Hello.")).text == "You said, Hello."


def test_fields_of_the_agent_can_be_changed() -> None:
    assert agent(greeting="Hi.").greeting == "Hi."
    assert agent().greeting != "Hi."


def test_a_write_is_done_once_the_caller_has_agreed() -> None:
    async def main() -> tuple[int, int]:
        desk = Desk()
        given = {"what": "a table", "confirmed": True}
        await desk.run(ToolRun("book", "t1", given, "CA1", turn=1, said="A table."))
        before = len(desk.written)
        await desk.run(ToolRun("book", "t2", given, "CA1", turn=2, said="Yes."))
        return before, len(desk.written)

    with ambient() as loop:
        assert loop.run_until_complete(main()) == (0, 1)


def test_a_list_of_a_plan_is_what_an_agent_has() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert '"protected":["Hello."]' in agent(protected=["Hello."]).model_dump_json()
