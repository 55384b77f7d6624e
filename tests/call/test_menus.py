"""Menus of keys on a call, and prompts that are heard from a file, in turn with sentences."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from aybiza.config.menus import Choice, Menu, Prompt
from aybiza.dialogue.journal import CallerTurn, Ended, MenuOpened, SentenceHeard
from aybiza.emulators.bedrock import say
from aybiza.emulators.phone import Party
from aybiza.emulators.phone.audio import write_wav
from aybiza.emulators.textaudio import encode
from aybiza.faults.caller import Step, hangs_up, interrupts, presses, says, stays
from aybiza.faults.desk import agent
from aybiza.faults.placed_call import PlacedCall
from aybiza.faults.world import World, in_world
from aybiza.speech import mulaw

PROMPT = "For hours press one, for orders two, for bills three."
HOURS = "We are open from nine to five."
MENUS = {
    "main": Menu(
        prompt=PROMPT,
        keys={
            "1": Choice(say=HOURS),
            "2": Choice(ask="I would like to order."),
            "3": Choice(menu="bills"),
            "4": Choice(transfer="Ann", say="I put you through."),
        },
    ),
    "bills": Menu(prompt="For a copy press one.", keys={"1": Choice(ask="A copy, please.")}),
}


def placed(*steps: Step, **fields: object) -> PlacedCall:
    async def talk(world: World) -> PlacedCall:
        async with world.call(*steps) as call:
            await call.over()
        return call

    own = agent(**{"menus": MENUS, "transfer_numbers": {"Ann": "+14155550200"}, **fields})
    parties = {"+14155550200": Party("completed")}
    return in_world(talk, agent=own, responder=lambda _: say("Very well."), parties=parties)


def turns(call: PlacedCall) -> list[str]:
    return [entry.text for entry in call.journal if isinstance(entry, CallerTurn)]


def test_a_key_is_answered_without_a_model_and_the_menu_stays_open() -> None:
    call = placed(presses("1"), presses("2"), hangs_up())
    assert call.heard.count(PROMPT) == 1
    assert HOURS in call.heard
    assert turns(call) == ["1", "I would like to order."]
    (request,) = call.requests()
    assert "We are open from nine to five." in str(request.body)


def test_keys_pressed_into_the_prompt_and_ahead_of_it_choose_at_once() -> None:
    call = placed({"dtmf": "31", "when_agent_speaking_ms": 3_000}, hangs_up())
    assert turns(call)[-1] == "A copy, please."
    assert "For a copy" not in call.heard
    assert "Very well." in call.heard


def test_who_speaks_leaves_the_menu_and_keys_are_an_entry_again() -> None:
    call = placed(says("I have a question."), presses("1"), hangs_up())
    assert turns(call) == ["I have a question.", "1"]
    assert HOURS not in call.heard


def test_what_is_said_and_pressed_in_one_turn_is_one() -> None:
    steps = (says("My number is"), presses("12", after_ms=300), hangs_up())
    assert turns(placed(*steps))[0] == "My number is 1 2"


def test_a_choice_is_no_secret_of_an_agent_that_masks_keys() -> None:
    call = placed(presses("3"), presses("55"), hangs_up(), keys_masked=True)
    assert turns(call) == ["3", "• •"]


def test_a_caller_is_put_through_by_a_key() -> None:
    call = placed(presses("4"), stays())
    assert "I put you through." in call.heard
    assert Ended("transfer") in call.journal


def test_the_journal_has_the_way_to_the_menu_that_is_open() -> None:
    call = placed(presses("3"), hangs_up())
    ways = [entry.way for entry in call.journal if isinstance(entry, MenuOpened)]
    assert ways == ["main", "main/bills"]


def recording(path: Path, text: str) -> None:
    """A WAV file in which the caller of a world hears these words."""
    write_wav(path, [mulaw.decode(encode(text + " ", 480)).astype(np.int16)])


def test_a_prompt_is_heard_from_its_file_in_its_place(tmp_path: Path) -> None:
    recording(tmp_path / "welcome.wav", "A voice of flesh and blood.")
    prompts = {
        "welcome": Prompt(text="Welcome.", file=str(tmp_path / "welcome.wav")),
        "well": Prompt(text="Very well.", tones="12"),
    }
    steps = (says("Hello."), hangs_up(quiet_ms=1_500))
    call = placed(*steps, menus={}, greeting="Welcome.", prompts=prompts)
    assert call.heard.startswith("A voice of flesh and blood.")
    assert "Very well." not in call.heard
    assert SentenceHeard(0, 1) in call.journal
    assert SentenceHeard(1, 1) in call.journal
    cut = placed(
        interrupts("Hello?", after_ms=600), hangs_up(), menus={}, greeting="Welcome.",
        prompts=prompts,
    )  # fmt: skip
    assert "blood" not in cut.heard
    assert SentenceHeard(0, 1) not in cut.journal
