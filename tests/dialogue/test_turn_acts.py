"""The turn machine: who goes on with what."""

from __future__ import annotations

from aybiza.config.menus import Choice, Menu
from aybiza.dialogue.conversation import Phase
from aybiza.dialogue.events import (
    Ask,
    CallerFinished,
    CallerInterim,
    CallerSaid,
    DigitPressed,
    Record,
    SpeakIn,
)
from aybiza.dialogue.journal import TRANSFER, LanguageChanged
from tests.dialogue.call_world import CallWorld, agent
from tests.dialogue.calls import QUIET, call, handle, tell


def texts(world: CallWorld) -> list[str]:
    messages = world.machine.conversation.messages()
    return [block["text"] for one in messages for block in one["content"] if "text" in block]


def test_words_that_came_to_nothing_have_the_turn_answered_all_the_same() -> None:
    world = tell(call(Phase.THINKING), CallerInterim("er"), QUIET)
    assert world.attached == 2
    assert texts(world) == ["a question"]


def test_nobody_waits_when_all_was_said() -> None:
    world = call(Phase.SPEAKING)
    world.answer("end")
    world.hear()
    assert "wait" not in world.timers


def test_an_answer_is_asked_once_for_a_joined_turn() -> None:
    world = tell(call(Phase.THINKING), CallerSaid("and Friday"))
    assert Ask(2, 0) in handle(world, CallerFinished())


MENUS = {
    "main": Menu(
        prompt="One or two?",
        keys={
            "1": Choice(say="From nine to five."),
            "2": Choice(ask="I want to order."),
            "3": Choice(menu="bills"),
            "9": Choice(transfer="Ann"),
        },
    ),
    "bills": Menu(prompt="A copy?", keys={"*": Choice(back=True)}),
}


def pressed(*keys: str) -> CallWorld:
    """A call of an agent with menus in which these keys were pressed, one a turn."""
    world = call(Phase.LISTENING, agent(menus=MENUS, transfer_numbers={"Ann": "+14155550100"}))
    world.hear()
    for key in keys:
        world.hear()
        tell(world, DigitPressed(key))
        assert world.timers["endpoint"] == 0.0
        world.fire("endpoint")
    return world


def spoken(world: CallWorld) -> list[str]:
    turn = world.machine.conversation.turn
    return [] if turn is None else list(turn.sentences.values())


def test_a_key_of_the_menu_is_answered_by_the_agent_itself() -> None:
    world = pressed("1")
    assert spoken(world) == ["From nine to five."]
    assert world.attached is None


def test_a_key_asks_the_model_in_the_callers_place() -> None:
    world = tell(pressed(), DigitPressed("2"))
    assert Ask(1, 0) in handle(world, QUIET)
    assert texts(world)[-1] == "I want to order."


def test_a_menu_opens_another_and_leads_back() -> None:
    world = pressed("3")
    assert (spoken(world), world.machine.conversation.menu) == (["A copy?"], "main/bills")
    world = pressed("3", "*")
    assert (spoken(world), world.machine.conversation.menu) == (["One or two?"], "main")


def test_a_key_puts_through_once_that_was_said() -> None:
    world = pressed("9")
    assert spoken(world) == ["One moment."] and world.ended == []
    world.hear()
    assert world.ended == [TRANSFER]
    assert world.machine.conversation.transfer == "Ann"


def test_the_call_goes_on_in_the_language_of_the_caller() -> None:
    world = call(Phase.LISTENING, agent(languages=("en-US", "es")))
    tell(world, CallerSaid("Hola, buenas tardes.", language="es"))
    ordered = handle(world, CallerFinished())
    assert [Record(LanguageChanged("es")), SpeakIn("es"), Ask(1, 0)] == ordered[-3:]
    assert world.machine.agent.language == "es"
