"""What is told of languages: what the documents say, and nothing of what they do not."""

from __future__ import annotations

import pytest

from aybiza.emulators import textaudio
from aybiza.emulators.deepgram.engine import ScriptedRecogniser
from aybiza.emulators.deepgram.flux import Thresholds
from aybiza.emulators.deepgram.listen import Listening, Parameters
from aybiza.emulators.deepgram.schemas import problem
from aybiza.emulators.deepgram.tongues import UNKNOWN
from aybiza.speech import deepgram_flux
from aybiza.speech.deepgram_listen import ListenOptions, Transcript, decode
from tests.cases import each

MULTI = {"model": "nova-3", "language": "multi"}


async def result(text: str, query: dict[str, str], *hints: str) -> dict[str, object]:
    listening = Listening(ScriptedRecogniser(), Parameters.of(query, hints))
    await listening.audio(textaudio.encode(text))
    *_, message = await listening.end()
    assert problem("listen", message) is None
    best: dict[str, object] = message["channel"]["alternatives"][0]
    assert decode(message) is not None
    return best


async def test_the_languages_are_told_most_words_first_with_those_of_each_word() -> None:
    best = await result("Hola, una mesa, please.", MULTI, "en-US", "es")
    assert (best["languages"], best["languages_hinted"]) == (["es", "en"], ["en", "es"])
    words = best["words"]
    assert isinstance(words, list)
    assert [word["language"] for word in words] == ["es", "es", "es", "en"]


async def test_what_nobody_could_tell_is_left_out() -> None:
    best = await result("Rex", MULTI)
    assert "languages" not in best
    assert best["languages_hinted"] == []


async def test_a_recogniser_of_one_language_tells_none() -> None:
    best = await result("Hola, una mesa.", {"model": "nova-3", "language": "es"})
    assert "languages" not in best and "languages_hinted" not in best


@each(
    [
        (MULTI, ("xx",), "language_hint 'xx'"),
        ({"model": "nova-3", "language": "es"}, ("es",), "needs language=multi"),
        ({"model": "nova-2", "language": "multi"}, ("es",), "is for nova-3"),
        ({"model": "base", "language": "multi"}, (), UNKNOWN),
        ({"model": "nova-3", "language": "xh"}, (), UNKNOWN),
    ]
)
def test_a_language_that_a_model_does_not_hear_is_refused(
    query: dict[str, str], hints: tuple[str, ...], why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        Parameters.of(query, hints)


def test_flux_takes_hints_where_it_hears_several() -> None:
    told = Thresholds.of({"model": "flux-general-multi"}, ["de", "pt-BR"]).tongues
    assert told is not None and told.hints == ("de", "pt")
    with pytest.raises(ValueError, match="language_hint is for flux-general-multi"):
        Thresholds.of({"model": "flux-general-en"}, ["de"])


def test_what_is_asked_for_is_what_the_documents_have() -> None:
    options = ListenOptions(language="multi", hints=("en-US", "es"))
    assert options.parameters()["language_hint"] == ["en", "es"]
    assert "language_hint" not in ListenOptions(language="es", hints=("es",)).parameters()
    flux = ListenOptions(model="flux-general-multi", language="multi", hints=("en-US", "es"))
    assert deepgram_flux.parameters(flux)["language_hint"] == ["en", "es"]


@each(
    [
        ([{"language": "es"}, {"language": "es-419"}, {"language": "en"}], ["en"], "es"),
        ([{"word": "hola"}], ["es", "en"], "es"),
        ([{"language": 5}], [], ""),
        ("words", "es", ""),
        (None, None, ""),
    ]
)
def test_most_words_say_which_language_it_is(words: object, languages: object, tag: str) -> None:
    best = {"transcript": "x", "words": words, "languages": languages}
    heard = decode({"type": "Results", "channel": {"alternatives": [best]}})
    assert isinstance(heard, Transcript)
    assert heard.language == tag
