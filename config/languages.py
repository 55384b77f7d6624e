"""The languages that an agent speaks beside its first: what changes with them, and what cannot be.

    languages = ["en-US", "es", "de"]        of an agent's file; a call begins in the first

    [speaks.es]                              what is not to be as the package has it
    voice = "aura-2-celeste-es"

`main_tag("es-MX")` is "es": languages are told apart by it. `hears_all(model, tags)` says whether a
recogniser hears all of them on one socket, and `wrong(…)` why an agent cannot speak some.

Pure, but that the first use of a language's phrases reads a file. Errors: none.
Source: Deepgram, "Nova-3 Language Prompting", "Flux Multilingual", "Multilingual Codeswitching",
"Voices and Languages".
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any, Final

from babel import Locale, UnknownLocaleError
from pydantic import BaseModel, Field, StringConstraints

from aybiza.config.agent_types import agent_types, get_optimal_voice_for_context
from aybiza.config.others import Voice
from aybiza.config.phrases import phrases, translations
from aybiza.config.shapes import READABLE, shaped
from aybiza.config.tables import TABLE

MOST: Final = 10
"""So many languages are all that an agent speaks."""

Tag = Annotated[str, shaped("[a-z]{2,3}(-[A-Za-z0-9]+)*", "a language such as es or en-GB")]
"""A language, as BCP 47 writes it."""
ListenModel = Annotated[
    str, shaped("[a-z0-9]+(-[a-z0-9]+)*", "a recogniser of Deepgram's, such as nova-3")
]
Word = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), READABLE
]
Spoken = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500), READABLE
]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]

_NOVA_3: Final = (
    "af ar be bn bs bg ca zh hr cs da nl en et fi fr gl de el gu he hi hu id it ja kn ko lv lt mk"
    " ms mr no fa pl pt ro ru sr sk sl es sv tl ta te th tr uk vi xh zu"
)
_HEARS_ALL: Final[Mapping[str, frozenset[str]]] = {
    "nova-3": frozenset(_NOVA_3.split()),
    "nova-2": frozenset(("en", "es")),
    "flux-general-multi": frozenset(["en", "es", "fr", "de", "hi", "ru", "pt", "ja", "it", "nl"]),
}
"""Which languages a model of Deepgram hears on one socket, and tells apart."""
_AURA: Final = "aura-"
_KNOWN: Final = re.compile(r"(nova-[23]|nova|enhanced|base|whisper|flux-general)(-[a-z]+)*")


class Speaks(BaseModel):
    """What an agent says, and how, while a call is in one of its further languages. What is left
    out is the package's in that language; the prompt is the agent's own."""

    model_config = TABLE

    voice: Voice | None = None
    """The voice; None: Deepgram's of the agent's type and the language."""
    second_voice: Voice | None = None
    """The voice that speaks while that one fails; None: no other in this language."""
    listen_model: ListenModel | None = None
    """The recogniser of Deepgram; None: the agent's."""
    keyterms: Annotated[tuple[Word, ...], Field(max_length=100, strict=False)] | None = None
    """What the recogniser is to expect; None: what it is in the first language."""
    system_prompt: Text | None = None
    """What the model is told; None: the agent's own prompt, and to speak this language."""
    custom_instructions: Text | None = None
    back_channels: Annotated[tuple[Word, ...], Field(max_length=100, strict=False)] = ()
    protected: Annotated[tuple[Spoken, ...], Field(max_length=50, strict=False)] | None = None
    silence_prompt: Spoken | None = None
    filler: Spoken | None = None
    more_fillers: Annotated[tuple[Spoken, ...], Field(max_length=20, strict=False)] | None = None
    late: Spoken | None = None
    error: Spoken | None = None
    error_after_write: Spoken | None = None
    refusal: Spoken | None = None
    over_quota: Spoken | None = None
    bridge: Spoken | None = None
    ask_again: Spoken | None = None
    keys_again: Spoken | None = None
    closing: Spoken | None = None
    transfer_busy: Spoken | None = None
    transfer_unanswered: Spoken | None = None
    transfer_failed: Spoken | None = None


_PHRASES: Final = [
    "silence_prompt",
    "filler",
    "late",
    "error",
    "error_after_write",
    "refusal",
    "over_quota",
    "bridge",
    "ask_again",
    "keys_again",
    "closing",
    "transfer_busy",
    "transfer_unanswered",
    "transfer_failed",
]


def main_tag(language: str) -> str:
    """What tells a language from others: the part of its tag before the first hyphen.

    >>> main_tag("pt-BR")
    'pt'
    """
    return language.partition("-")[0].lower()


def name_of(language: str, in_language: str = "en") -> str:
    """The language's name, in another one; its tag where nobody has named it.

    >>> name_of("de-AT"), name_of("de", "es")
    ('German', 'alemán')
    """
    try:
        name = Locale(main_tag(language)).get_language_name(in_language)
    except (UnknownLocaleError, ValueError):
        name = None
    return name or language


def told_apart(model: str) -> frozenset[str]:
    """The main tags of the languages that the recogniser hears, and tells apart, on one socket."""
    known = (tags for name, tags in _HEARS_ALL.items() if model.startswith(name))
    return next(known, frozenset())


def hears_all(model: str, languages: Collection[str]) -> bool:
    """Whether the recogniser hears several languages on one socket, and these among them.

    >>> hears_all("nova-3", ["en-US", "es"]), hears_all("nova-2", ["en", "de"])
    (True, False)
    """
    return len(languages) > 1 and told_apart(model).issuperset(map(main_tag, languages))


def unheard(asked: tuple[str, str]) -> str | None:
    """What is doubtful about a recogniser that is to hear a language; None: nothing that is known.

    >>> unheard(("nova-3", "de")), unheard(("flux-general-multi", "multi"))
    (None, None)
    >>> unheard(("nova-9", "de"))
    'listen_model: nova-9 is not known here; did you mean nova-3?'
    >>> unheard(("flux-general-multi", "pl"))
    'listen_model: flux-general-multi is not known to hear Polish; nova-3 does'
    """
    model, language = asked
    tag = main_tag(language)
    if _KNOWN.fullmatch(model) is None:
        near = difflib.get_close_matches(model, (*_HEARS_ALL, "flux-general-en"), 1, 0.0)
        return f"listen_model: {model} is not known here; did you mean {near[0]}?"
    heard = told_apart(model)
    # Of nova-2 the list has what it tells apart, and not all that it hears.
    if tag == "multi" or not heard or tag in heard or model.startswith("nova-2"):
        return None
    other = "; nova-3 does" if tag in _HEARS_ALL["nova-3"] else ""
    return f"listen_model: {model} is not known to hear {name_of(language)}{other}"


def deaf(model: str, language: str) -> str | None:
    """Why a recogniser cannot hear a language at all; None: as far as is known it can.

    >>> deaf("flux-general-en", "de-CH")
    'flux-general-en hears English alone: take flux-general-multi or nova-3'
    """
    if main_tag(language) == "en" or model != "flux-general-en":
        return None
    return "flux-general-en hears English alone: take flux-general-multi or nova-3"


def deaf_to_some(model: str, languages: Sequence[str], speaks: Mapping[str, Speaks]) -> str | None:
    """The same of the languages that it is to hear; some have a recogniser of their own."""
    shared = (tag for tag in languages if tag not in speaks or speaks[tag].listen_model is None)
    return next(filter(None, (deaf(model, tag) for tag in shared)), None)


def has_voice(language: str) -> bool:
    """Whether there is a voice of the language."""
    voices = agent_types()["other"]["voices"]
    return main_tag(language) in ("en", *voices)


def wrong(first: str, languages: Sequence[str], speaks: Mapping[str, Speaks]) -> str | None:
    """Why an agent whose first language is `first` cannot speak these; None: it can."""
    tags = {main_tag(language) for language in languages}
    beside = next((language for language in speaks if language not in languages[1:]), None)
    if len(languages) == 1:
        return "name the first and at least one more; one alone is `language`"
    if len(tags) < len(languages):
        first_of: dict[str, str] = {}
        for language in languages:
            other = first_of.setdefault(main_tag(language), language)
            if other != language:
                return f"{other} and {language} are one language: nobody tells them apart"
        return f"{languages[0]} stands there twice"
    if languages and languages[0] != first:
        return f"`language` is the first of them, {languages[0]}, or left out"
    if beside is not None:
        return f"[speaks.{beside}] is of none of the further languages"
    further = (problem(language, speaks.get(language, Speaks())) for language in languages[1:])
    return next(filter(None, further), None)


def voiceless(language: str) -> str | None:
    """Why an agent that names no voice cannot speak a language; None: it can.

    >>> voiceless("de"), voiceless("multi")
    (None, None)
    >>> voiceless("hi")
    "language = 'hi': Deepgram has no voice of Hindi: name one by `voice`"
    """
    if main_tag(language) == "multi" or has_voice(language):
        return None
    return (
        f"language = {language!r}: Deepgram has no voice of {name_of(language)}: name one by"
        " `voice`"
    )


def problem(language: str, speaks: Speaks) -> str | None:
    """Why an agent cannot speak a language; None: it can.

    >>> problem("es", Speaks())
    >>> problem("pt", Speaks())
    'Deepgram has no voice of Portuguese: name one in [speaks.pt], or leave the language out'
    """
    tag, name = main_tag(language), name_of(language)
    if speaks.voice is None and not has_voice(tag):
        return (
            f"Deepgram has no voice of {name}: name one in [speaks.{language}], or leave the"
            " language out"
        )
    if speaks.voice is not None and speaks.voice.startswith(_AURA):
        of = speaks.voice.rpartition("-")[2]
        if of != tag:
            return f"the voice {speaks.voice} speaks {name_of(of)}, not {name}"
    if speaks.listen_model is not None and (why := deaf(speaks.listen_model, language)):
        return why
    if tag != "en" and tag not in translations():
        missing = [key for key in _PHRASES if getattr(speaks, key) is None]
        if missing:
            return f"the package has no words of {name}: [speaks.{language}] needs {missing[0]}"
    return None


def changes(language: str, kind: str, speaks: Speaks, english: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of an agent of this `kind` that are other ones in a further language. `english`:
    the phrases of that language, which stand nowhere else."""
    voice = get_optimal_voice_for_context({"agent_type": kind, "language": language}, rules="call")
    own = {key: value for key, value in speaks.model_dump().items() if value is not None}
    voices = {"voice": voice, "second_voice": None}
    return {**english, **phrases(language), "language": language, **voices, **own}
