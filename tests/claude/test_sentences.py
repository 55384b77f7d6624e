"""Sentences: the specification's two functions by recorded cases, the splitter by behaviour."""

# The stops of other scripts look like ASCII ones, and are meant.
# ruff: noqa: RUF001

from __future__ import annotations

import doctest
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.claude import sentences
from aybiza.claude.sentences import (
    SentenceSplitter,
    StreamAccumulator,
    extract_complete_sentences,
    process_streaming_chunk,
)
from aybiza.config.rule_sets import Rules
from tests.cases import each
from tests.claude.golden import cases

Case = dict[str, Any]


@each(cases("extract_complete_sentences"))
def test_extract_complete_sentences_answers_as_recorded(case: Case) -> None:
    sentences, remaining = extract_complete_sentences(case["input"]["text"])
    assert {"sentences": sentences, "remaining": remaining} == case["output"]


@each(
    pytest.param(*case.values, rules, recorded, id=f"{case.id}-{rules}")
    for case in cases("process_streaming_chunk")
    for rules, recorded in (
        ("printed", "events_per_chunk"),
        ("specification", "intended_events_per_chunk"),
    )
)
def test_process_streaming_chunk_answers_as_recorded(
    case: Case, rules: Rules, recorded: str
) -> None:
    acc = StreamAccumulator()
    events = []
    for number, chunk in enumerate(case["input"]["chunks"]):
        clock = partial(int, number)
        of_chunk, acc = process_streaming_chunk(chunk, acc, 0.0, {}, rules=rules, clock=clock)
        assert all(event.pop("context") == {} for event in of_chunk)
        events.append(of_chunk)
    expected = case["output"]
    assert events == expected[recorded]
    assert expected["final"] == {
        "buffer": acc.buffer,
        "sentence_count": acc.sentence_count,
        "first_token_chunk": acc.first_token_at,
    }


def test_the_time_of_the_first_text_is_told_from_the_start_of_the_request() -> None:
    text = {"type": "content_block_delta", "delta": {"text": "Yes"}}
    _, acc = process_streaming_chunk(text, StreamAccumulator(), 2.0, {}, clock=lambda: 2.5)
    _, acc = process_streaming_chunk(text, acc, 2.0, {}, clock=lambda: 9.0)
    assert (acc.first_token_at, acc.first_token_latency) == (2.5, 0.5)


@pytest.mark.parametrize("text", ["Ask Dr. Lee. It is open", "It costs 3. 5 dollars. Yes", "No"])
def test_a_calls_rules_are_the_splitters(text: str) -> None:
    splitter = SentenceSplitter()
    expected = splitter.feed(text), splitter.pending
    assert extract_complete_sentences(text, rules="call") == expected


def split(text: str, *, max_chars: int = 300) -> list[str]:
    splitter = SentenceSplitter(max_chars=max_chars)
    return [*splitter.feed(text), *splitter.flush()]


def split_by_character(text: str) -> list[str]:
    splitter = SentenceSplitter()
    pieces = [piece for character in text for piece in splitter.feed(character)]
    return [*pieces, *splitter.flush()]


@pytest.mark.parametrize(
    "sentences",
    [
        ["Hello.", "How are you?", "Fine!", "Good."],
        ["we open at nine.", "do come by.", "bye"],
        ["Dr. Smith and Mrs. Jones are in.", "Prof. Lee is not."],
        ["It costs $3.50 today.", "Or 3.", "Take it."],
        ["Version 2.0.1 is out.", "Pi is 3.14159."],
        ["We open at 9 a.m. on Monday.", "We close at 5 p.m.", "Please call."],
        ["Come at 5 p.m. Monday.", "Or at 3 p.m. Eastern time."],
        ["George W. Bush met J. K. Rowling.", "Both smiled."],
        ["Take vitamin C.", "It helps."],
        ["Go to St. Mary's on Main St. and wait.", "It is at 12 Oak St.", "We are there."],
        ["I said no.", "We left.", "They said no.", "Franz left."],
        ["No. 5 is alive.", "See fig. 3 and ext. 12."],
        ["Bring fruit, e.g. apples, i.e. food.", "Or nuts, etc.", "They are good."],
        ["Acme Inc. Magazine is good.", "I read it."],
        ["He works for Acme Inc.", "We do too."],
        ["The U.S. Navy is big.", "So is the U.S.", "They said so."],
        ["Well... I think so... yes."],
        ["Hmm… let me see.", "Here it is."],
        ["See https://example.com/a.b?q=1 for more.", "Or mail bob@example.org."],
        ["Look at example.com now.", "Is it example.com?", "Yes."],
        ['He asked "why?" and left.', '"Stop!"', "She ran."],
        ["She said “I know.”", "Then she left."],
        ["(See page three.)", "Then go on."],
        ["It is on May 3.", "Come early."],
        ["Am 3. Mai kommt er.", "Dann geht er."],
        ["1. Open the door.", "Then 2. may follow."],
        ["A. First choice.", "On Sat. and Sun. we rest.", "Take 2.5 mg. twice."],
        ["**Important.**", "Read this."],
        ["¿Cómo está?", "¡Muy bien!", "Gracias."],
        ["नमस्ते।", "आप कैसे हैं?", "ठीक है।"],
        ["مرحبا.", "كيف حالك؟", "بخير."],
        ["Really?!", "Yes."],
        ["Das kostet z. B. am Montag weniger.", "Gut."],
        ["Am 14. 3. passt es.", "Gut."],
        ["Der 1. Termin ist frei.", "Der 2. auch."],
        ["I am 5.", "We are six."],
        ["Dr. med. Weber kommt.", "Das sind ca. 20 Minuten."],
        ["Rendez-vous au 12 av. Foch, p. ex. lundi.", "Merci."],
        ["Vive en EE. UU. desde 2010.", "Bien."],
        ["La cita es el 3 de abr. a las 10.", "Fica na Av. Paulista, n. 5.", "Certo."],
        ["L'ing. Neri è qui.", "Bene."],
        ["Dhr. Jansen en mevr. de Vries komen, bijv. morgen.", "Het kost ca. 5 euro."],
        ["डॉ. शर्मा आएंगे।", "ठीक है।"],
        ["Options: 1. Cleaning.", "2. Check-up."],
        ["Gen. Lee is here.", "So is Sgt. Pepper."],
    ],
)
def test_splits_where_a_speaker_would_pause(sentences: list[str]) -> None:
    assert split(" ".join(sentences)) == sentences


@pytest.mark.parametrize(
    "sentences",
    [
        ["你好。", "我很好！", "你呢？"],
        ["「はい。」と言った。", "そうですか。"],
    ],
)
def test_splits_scripts_without_blanks(sentences: list[str]) -> None:
    assert split("".join(sentences)) == sentences


def test_a_blank_line_and_a_list_item_end_a_sentence() -> None:
    text = "Two things:\n- apples\n- pears\n\nThat is all"
    assert split(text) == ["Two things:", "- apples", "- pears", "That is all"]


def test_a_line_break_alone_does_not_end_a_sentence() -> None:
    assert split("one line\nand the next") == ["one line\nand the next"]


@pytest.mark.parametrize("sentence", ["Are you there?", "Hello!", "你好。", "ठीक है।"])
def test_a_question_or_exclamation_goes_at_once(sentence: str) -> None:
    assert SentenceSplitter().feed(sentence) == [sentence]


@pytest.mark.parametrize(
    "text",
    [
        "It costs 3.",
        "Hello.",
        "Well...",
        'He asked "why?',
        "See example.com?",
        "http://a.b/c?",
        "?",
    ],
)
def test_holds_what_more_text_may_continue(text: str) -> None:
    splitter = SentenceSplitter()
    assert splitter.feed(text) == []
    assert splitter.pending == text
    assert splitter.flush() == [text]


def test_a_decimal_arriving_in_pieces_is_not_cut() -> None:
    splitter = SentenceSplitter()
    assert splitter.feed("It costs 3.") == []
    assert splitter.feed("5 dollars.") == []
    assert splitter.feed(" Bye") == ["It costs 3.5 dollars."]


def test_a_sentence_goes_with_the_first_delta_that_proves_it() -> None:
    splitter = SentenceSplitter()
    assert splitter.feed("I see.") == []
    assert splitter.feed(" The") == ["I see."]
    assert splitter.pending == "The"


def test_the_word_after_an_abbreviation_is_awaited_whole() -> None:
    splitter = SentenceSplitter()
    assert splitter.feed("He works for Acme Inc. The") == []
    assert splitter.feed("odore too. ") == ["He works for Acme Inc. Theodore too."]


def test_flush_leaves_the_splitter_empty_and_usable() -> None:
    splitter = SentenceSplitter()
    splitter.feed("  one")
    assert splitter.flush() == ["one"]
    assert splitter.flush() == []
    assert splitter.feed("Two?") == ["Two?"]


def test_white_space_alone_is_no_sentence() -> None:
    assert split(" \n\n \t ") == []


def test_a_text_without_stops_is_cut_at_a_clause() -> None:
    text = "first we look at this, then we look at that and so on"
    assert split(text, max_chars=40) == [
        "first we look at this,",
        "then we look at that and so on",
    ]


def test_a_text_without_stops_or_clauses_is_cut_at_a_word() -> None:
    pieces = split("word " * 50, max_chars=30)
    assert all(len(piece) <= 30 for piece in pieces)
    assert " ".join(pieces).split() == ["word"] * 50


def test_a_text_without_blanks_is_cut_in_the_end() -> None:
    pieces = split("x" * 1000, max_chars=100)
    assert "".join(pieces) == "x" * 1000
    assert max(map(len, pieces)) <= 200


def test_a_long_first_clause_goes_early_and_only_the_first() -> None:
    splitter = SentenceSplitter(first_clause_chars=20)
    assert splitter.feed("Sure, I can look that up for you,") == []
    assert splitter.feed(" but first, ") == ["Sure, I can look that up for you,"]
    assert splitter.feed("I need your name, and your number, and then") == []
    assert splitter.flush() == ["but first, I need your name, and your number, and then"]


def test_a_first_sentence_that_is_complete_is_not_cut() -> None:
    splitter = SentenceSplitter(first_clause_chars=20)
    assert splitter.feed("It is open. After six o'clock in the evening, it is closed. ") == [
        "It is open.",
        "After six o'clock in the evening, it is closed.",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "That will be exactly 1,250,000 dollars and",
        "She told me (and that was on Monday, I believe",
        'She told me "and that was on Monday, I believe',
        "See https://example.org/a,b;c:d and",
        "That will be exactly this,",
    ],
)
def test_a_clause_does_not_end_in_numbers_addresses_brackets_or_nowhere(text: str) -> None:
    assert SentenceSplitter(first_clause_chars=10).feed(text) == []


def test_a_limit_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        SentenceSplitter(max_chars=0)


FRAGMENTS = st.sampled_from(
    [
        *" .!?…\"'()“”\n,-*",
        *["Dr", "e.g", "a.m", "p.m", "St", "No", "Inc", "U.S", "3", "5.0", "$3", "I", "We", "the"],
        *[
            "hello",
            "Hello",
            "naïve",
            "日本",
            "。",
            "？",
            "「",
            "」",
            "😀",
            "\u00a0",
            "\n\n",
            "- ",
            "1. ",
        ],
        *["https://a.b/c?d", "x@y.z", "J", "Monday", "Smith", "etc"],
    ]
)
TEXTS = st.lists(FRAGMENTS | st.text(max_size=5), max_size=40).map("".join)


def gaps(text: str, pieces: list[str]) -> str:
    """What of `text` lies outside `pieces`, taken in order."""
    outside = []
    position = 0
    for piece in pieces:
        at = text.index(piece, position)
        outside.append(text[position:at])
        position = at + len(piece)
    return "".join([*outside, text[position:]])


@given(text=TEXTS, max_chars=st.sampled_from([5, 40, 300]))
def test_nothing_is_lost_or_doubled_and_only_white_space_falls_between(
    text: str, max_chars: int
) -> None:
    pieces = split(text, max_chars=max_chars)
    assert gaps(text, pieces).strip() == ""
    assert all(piece and piece == piece.strip() for piece in pieces)


@given(text=TEXTS, cuts=st.lists(st.integers(0, 200), max_size=20))
def test_the_content_does_not_depend_on_how_the_text_is_cut_into_deltas(
    text: str, cuts: list[int]
) -> None:
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    splitter = SentenceSplitter()
    pieces = []
    for start, end in pairwise(edges):
        pieces += splitter.feed(text[start:end])
    pieces += splitter.flush()
    assert gaps(text, pieces).strip() == ""


@given(
    sentences=st.lists(
        st.sampled_from(
            [
                "Dr. Smith is in.",
                "It costs $3.50.",
                "At 9 a.m. we open.",
                "so it is.",
                "Why?",
                "Ok!",
            ]
        ),
        min_size=1,
        max_size=8,
    )
)
def test_ordinary_sentences_come_out_whole_even_character_by_character(
    sentences: list[str],
) -> None:
    assert split_by_character(" ".join(sentences)) == sentences


@given(text=TEXTS, least=st.integers(0, 30))
def test_an_early_clause_loses_nothing(text: str, least: int) -> None:
    splitter = SentenceSplitter(first_clause_chars=least)
    pieces = [piece for letter in text for piece in splitter.feed(letter)] + splitter.flush()
    assert gaps(text, pieces).strip() == ""


def test_the_examples_hold() -> None:
    ran = doctest.testmod(sentences)
    assert ran.attempted > 0
    assert ran.failed == 0
