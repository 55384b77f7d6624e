"""The languages that a connection hears, and what is told of those that words are in. Pure.

A connection that asks for `language=multi` is told the language of each word and those of each
result, most words first, and which hints it gave. Its words are judged by `aybiza.config.tongues`;
those that are of no language take that of their result, without which nothing is told of them, as
Deepgram leaves it out where it does not know.

Errors: `ValueError` for a language that a model does not know, and for hints where there is nothing
to choose.
Source: Deepgram, "Nova-3 Language Prompting", "Flux Multilingual", "Models & Languages Overview".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aybiza.config.languages import main_tag, told_apart
from aybiza.config.tongues import LANGUAGES, tagged

MULTI: Final = "multi"
UNKNOWN: Final = "No such model/language/tier combination found."
_FLUX_MULTI: Final = "flux-general-multi"
_NOVA_3: Final = (
    "ar be bg bn bs ca cs da de el en es et fa fi fr he hi hr hu id it ja kn ko lt lv mk mr ms ne"
    " nl no pa pl pt ro ru sk sl sr sv ta te th tl tr uk ur vi zh"
)
_ALONE: Final = {"nova-3": frozenset(_NOVA_3.split())}
"""What a model hears by itself, where it hears less than all."""


@dataclass(frozen=True, slots=True)
class Tongues:
    """See the module. `hints` are main tags."""

    hints: tuple[str, ...] = ()

    @classmethod
    def of(cls, query: Mapping[str, str], hints: Sequence[str]) -> Tongues | None:
        """Those of a listen v1 connection; None: it hears one language."""
        model, language = query.get("model", ""), query.get("language", "en")
        if language == MULTI:
            if not told_apart(model):
                raise ValueError(UNKNOWN)
            if hints and not model.startswith("nova-3"):
                raise ValueError("language_hint is for nova-3")
            return cls._hinted(model, hints)
        if hints:
            raise ValueError("language_hint needs language=multi")
        alone = next((tags for name, tags in _ALONE.items() if model.startswith(name)), None)
        if alone is not None and main_tag(language) not in alone:
            raise ValueError(UNKNOWN)
        return None

    @classmethod
    def of_turns(cls, query: Mapping[str, str], hints: Sequence[str]) -> Tongues | None:
        """Those of a listen v2 connection."""
        if query.get("model") == _FLUX_MULTI:
            return cls._hinted(_FLUX_MULTI, hints)
        if hints:
            raise ValueError(f"language_hint is for {_FLUX_MULTI}")
        return None

    @classmethod
    def _hinted(cls, model: str, hints: Sequence[str]) -> Tongues:
        for hint in hints:
            if main_tag(hint) not in told_apart(model):
                raise ValueError(f"language_hint {hint!r:.20} is none of the model's languages")
        return cls(tuple(map(main_tag, hints)))

    def heard(self, text: str, words: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """What is told beside the text; its `words` are told their languages."""
        tags = tagged(text, self.hints or LANGUAGES)
        for word, tag in zip(words, tags, strict=True):
            if tag:
                word["language"] = tag
        counted = [tag for tag, _ in Counter(filter(None, tags)).most_common()]
        told = {"languages": counted} if counted else {}
        return {**told, "languages_hinted": list(self.hints)}
