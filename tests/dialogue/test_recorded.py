"""What counts as consent to a recording."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aybiza.config.phrases import translations
from aybiza.config.recording import Recording
from aybiza.dialogue.conversation import Conversation
from aybiza.dialogue.journal import (
    AgentSentence,
    CallerTurn,
    Entry,
    RecordingConsent,
    SentenceHeard,
)
from aybiza.dialogue.recorded import Terms, decided, terms_of
from aybiza.faults.desk import agent

TOLD = Terms("told", "This call is recorded.", "en-US")
AGREED = Terms("agreed", "May this call be recorded?", "en-US")

YES = {
    "de": "Ja, gerne.",
    "en": "Yes, please.",
    "es": "Sí, claro.",
    "fr": "Oui, bien sûr.",
    "hi": "हाँ, ठीक है।",
    "it": "Sì, certo.",
    "ja": "はい、お願いします。",
    "nl": "Ja, prima.",
    "pt": "Sim, claro.",
}
NO = {
    "de": "Nein, bitte nicht.",
    "en": "No, please don't.",
    "es": "No, gracias.",
    "fr": "Non merci.",
    "hi": "नहीं।",
    "it": "No, grazie.",
    "ja": "いいえ。",
    "nl": "Nee, liever niet.",
    "pt": "Não, obrigado.",
}


def folded(*entries: Entry) -> Conversation:
    conversation = Conversation()
    for entry in entries:
        conversation.apply(entry)
    return conversation


def answered(terms: Terms, words: str, *, heard: bool = True) -> RecordingConsent | None:
    said = CallerTurn(1, words)
    entries: list[Entry] = [AgentSentence(0, 1, "Hello."), AgentSentence(0, 2, terms.words)]
    entries += [SentenceHeard(0, 2)] if heard else []
    return decided(terms, folded(*entries, said), said)


@pytest.mark.parametrize("language", ["en", *sorted(translations())])
def test_a_yes_agrees_and_a_no_does_not_in_every_language(language: str) -> None:
    own = agent(recording=Recording(consent="agreed"), language=language)
    question = translations().get(language, {}).get("recording_question", AGREED.words)
    terms = terms_of(own.model_copy(update={"recording_question": question}), "")
    assert terms is not None and terms.words == question
    assert answered(terms, YES[language]) == RecordingConsent("agreed")
    assert answered(terms, NO[language]) == RecordingConsent("refused")


def test_the_key_of_the_file_agrees_alone_and_no_other() -> None:
    keyed = replace(AGREED, key="1")
    how = [answered(keyed, words) for words in ("1", "2", "1 1", "Yes.")]
    assert [one.how if one else None for one in how] == ["agreed", "refused", "refused", "agreed"]
    assert answered(AGREED, "1") == RecordingConsent("refused")
    assert answered(keyed, "1", heard=False) == RecordingConsent("refused")


def test_a_yes_to_what_was_asked_since_agrees_to_nothing() -> None:
    said = CallerTurn(2, "Yes.")
    asked: list[Entry] = [AgentSentence(0, 1, AGREED.words), SentenceHeard(0, 1)]
    since = AgentSentence(1, 1, "Are you still there?")
    assert decided(AGREED, folded(*asked, since, said), said) == RecordingConsent("refused")


def test_only_a_yes_to_the_question_agrees() -> None:
    for words in ("Why?", "Yes, I need a table.", "Maybe.", "Go on.", "Yes... no."):
        assert answered(AGREED, words) == RecordingConsent("refused")
    assert answered(AGREED, "Yes.", heard=False) == RecordingConsent("refused")


def test_to_be_told_is_to_have_heard_the_notice_to_its_end() -> None:
    said = (AgentSentence(0, 1, TOLD.words), AgentSentence(0, 2, "Hello."))
    heard = SentenceHeard(0, 1)
    assert decided(TOLD, folded(*said, heard), heard) == RecordingConsent("told")
    later = SentenceHeard(0, 2)
    assert decided(TOLD, folded(*said, later), later) is None
    spoke = CallerTurn(1, "Yes.")
    assert decided(TOLD, folded(*said, spoke), spoke) is None


def test_what_is_decided_is_decided_once() -> None:
    said = CallerTurn(2, "Yes.")
    before = (AgentSentence(0, 1, AGREED.words), SentenceHeard(0, 1), RecordingConsent("refused"))
    assert decided(AGREED, folded(*before, said), said) is None


def test_an_agent_that_does_not_record_says_nothing_of_it() -> None:
    assert terms_of(agent(), "") is None
    told = terms_of(agent(recording=Recording(consent="told")), "")
    assert told is not None and (told.before, told.behind) == ("This call is recorded.", "")
