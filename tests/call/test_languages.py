"""A call goes on in its caller's language: ears, voice, prompt, fixed words; one entry says so."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aybiza.actors.runtime import KILL
from aybiza.dialogue.journal import LanguageChanged
from aybiza.emulators.bedrock import Reply, say, use
from aybiza.emulators.bedrock.continuation import Body
from aybiza.faults.caller import Step, breaks_off, hangs_up, interrupts, says
from aybiza.faults.desk import Desk, agent
from aybiza.faults.placed_call import PlacedCall
from aybiza.faults.world import World, in_world

HOLA = "Hola, quisiera una mesa para dos."
SPOKEN = "Con mucho gusto."
TRILINGUAL = {"languages": ("en-US", "es", "de")}


def answer(body: Body) -> Reply:
    return say(SPOKEN if "in Spanish now" in json.dumps(body["system"]) else "With pleasure.")


def placed(*steps: Step, during: Any = None, responder: Any = answer, **fields: Any) -> PlacedCall:
    nodes = fields.pop("nodes", 1)

    async def talk(world: World) -> PlacedCall:
        dialled.clear()
        service = world.deepgram.service
        session = service.session

        def noted(path: str, headers: Any) -> Any:
            dialled.append(path)
            return session(path, headers)

        service.session = noted  # type: ignore[method-assign]
        async with world.call(*steps) as call:
            if during is not None:
                await during(world, call)
            await call.over()
        return call

    return in_world(talk, agent=agent(**fields), responder=responder, nodes=nodes)


dialled: list[str] = []


def asked(door: str) -> list[dict[str, list[str]]]:
    """What the sockets of one kind have asked for, in order."""
    return [parse_qs(parts.query) for parts in map(urlsplit, dialled) if parts.path == door]


def voices() -> list[str]:
    return [query["model"][0] for query in asked("/v1/speak")]


def changes(call: PlacedCall) -> list[str]:
    return [one.language for one in call.journal if isinstance(one, LanguageChanged)]


def test_the_first_words_of_a_caller_change_ears_voice_and_prompt() -> None:
    call = placed(says(HOLA), says("Gracias, adiós."), hangs_up(), **TRILINGUAL)
    assert changes(call) == ["es"]
    assert call.heard.count(SPOKEN) == 2
    assert voices()[-1] == "aura-2-celeste-es"
    (listen,) = asked("/v1/listen")
    assert (listen["language"], listen["language_hint"]) == (["multi"], ["en", "es", "de"])


def test_a_recogniser_that_hears_one_language_at_a_time_is_dialled_anew() -> None:
    steps = (says("Can we speak German, please?"), says("Einen Tisch für zwei."), hangs_up())
    call = placed(*steps, listen_model="nova-2", **TRILINGUAL)
    assert changes(call) == ["de"]
    assert [query["language"] for query in asked("/v1/listen")] == [["en-US"], ["de"]]
    assert "Einen Tisch für zwei." in [said for who, said in call.told() if who == "user"]


def test_one_foreign_word_changes_nothing() -> None:
    call = placed(says("A table for two, please."), says("Gracias."), hangs_up(), **TRILINGUAL)
    assert changes(call) == []
    assert {voice[-3:] for voice in voices()} == {"-en"}


def test_the_fixed_words_are_those_of_the_language() -> None:
    def none(body: Body) -> Reply:
        return answer(body) if "Hola" in str(body["messages"][-1]) else say("")

    steps = (says(HOLA), says("¿A qué hora abren hoy?"), hangs_up())
    call = placed(*steps, responder=none, **TRILINGUAL)
    assert "Lo siento, algo ha fallado por mi parte." in call.heard
    silent = placed(says(HOLA), hangs_up(after_ms=40_000), **TRILINGUAL)
    assert "¿Sigue usted ahí?" in silent.heard


def test_a_write_is_agreed_to_in_the_callers_language() -> None:
    def books(body: Body) -> Reply:
        last = str(body["messages"][-1]["content"])
        if "needs_confirmation" in last:
            return say("¿Una mesa para dos?")
        return say("Está hecho.") if "toolResult" in last else use("book", {"what": "mesa"})

    written: list[int] = []

    async def during(world: World, call: PlacedCall) -> None:
        await call.over()
        assert isinstance(world.toolbox, Desk)
        written.append(len(world.toolbox.written))

    steps = (says(HOLA), says("Sí, adelante."), hangs_up())
    placed(*steps, responder=books, during=during, **TRILINGUAL)
    assert written == [1]


def test_a_call_that_comes_back_goes_on_in_its_language() -> None:
    steps = (says(HOLA), breaks_off(), says("Muchas gracias, señora."), hangs_up())
    call = placed(*steps, nodes=2, **TRILINGUAL)
    assert changes(call) == ["es"]
    assert "Perdone, se ha cortado un momento." in call.heard
    assert voices()[-1] == "aura-2-celeste-es"


def test_what_dies_comes_back_in_the_calls_language() -> None:
    for part in ("call", "speaker", "transcriber"):

        async def during(world: World, call: PlacedCall, part: str = part) -> None:
            await call.until(lambda: call.has_heard(1, 1))
            pid = call.pid(part)
            assert pid is not None
            world.vm.exit(pid, KILL)

        call = placed(says(HOLA), says("Muchas gracias."), hangs_up(), during=during, **TRILINGUAL)
        assert call.heard.count(SPOKEN) == 2, part
        assert voices()[-1] == "aura-2-celeste-es"


STORY = ("There was a lighthouse far out in the sea. ", "One night a storm took its light. ")


def test_a_caller_who_breaks_in_with_another_language_has_their_answer_in_it() -> None:
    def story(body: Body) -> Reply:
        last = str(body["messages"][-1]["content"])
        return say("".join(STORY)) if "story" in last else answer(body)

    steps = (says("Tell me a story, please."), interrupts(HOLA, after_ms=1_500), hangs_up())
    call = placed(*steps, responder=story, **TRILINGUAL)
    assert changes(call) == ["es"] and call.report.ok
    assert call.heard.count(SPOKEN) == 1 and STORY[1].strip() not in call.heard
    assert voices()[-1] == "aura-2-celeste-es"
    told = [said for who, said in call.told() if who == "user"]
    assert HOLA in " ".join(told)


def test_a_language_that_is_not_offered_changes_nothing_and_loses_no_word() -> None:
    asks = "Bonjour madame, est-ce que nous pouvons parler français, s'il vous plaît ?"
    steps = (says(asks), says("A table for two, please."), hangs_up())
    for model in ("nova-3", "nova-2", "flux-general-multi"):
        call = placed(*steps, listen_model=model, **TRILINGUAL)
        assert changes(call) == [] and call.report.ok
        assert call.heard.count("With pleasure.") == 2
        assert {voice[-3:] for voice in voices()} == {"-en"}


def test_words_that_are_said_while_the_recogniser_changes_are_heard() -> None:
    steps = (
        says("Auf Deutsch, bitte."),
        says("Einen Tisch für zwei.", after_ms=150),
        says("Und zwar heute um acht.", after_ms=150),
        hangs_up(),
    )
    call = placed(*steps, listen_model="nova-2", **TRILINGUAL)
    assert changes(call) == ["de"] and call.report.ok
    told = " ".join(said for who, said in call.told() if who == "user")
    assert "Einen Tisch für zwei." in told and "Und zwar heute um acht." in told
