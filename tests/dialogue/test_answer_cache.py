"""Answers for when no model can be reached: what is kept, for whom, and how long."""

from __future__ import annotations

import numpy as np
import pytest

from aybiza.dialogue.answer_cache import AnswerCache, Key, Meant, generate_cache_key

ASKED = "What are your opening hours?"
ANSWER = ("We open at eight.", "We close at six.")


def key(said: str = ASKED, agent: str = "Desk", tenant: str = "") -> tuple[str, str, str]:
    made = generate_cache_key(agent, tenant, said, first_words=True)
    assert made is not None
    return made


def test_an_answer_is_found_by_the_same_question_in_any_spelling() -> None:
    cache = AnswerCache()
    cache.keep(key(), ANSWER, 0.0)
    assert cache.find(key("what are your OPENING hours"), 1.0) == ANSWER
    assert cache.find(key("What are your prices?"), 1.0) == ()


@pytest.mark.parametrize(
    ("said", "other"),
    [("दिन कब है?", "दान कब है?"), ("கோடி", "கூடை"), ("Is it a plus?", "Is it a plus +?")],
)
def test_questions_that_differ_in_a_mark_or_a_sign_are_two(said: str, other: str) -> None:
    assert key(said) != key(other)


def test_a_question_is_the_same_however_its_letters_are_encoded() -> None:
    assert key("Wo ist das Caf\u00e9?") == key("wo ist das cafe\u0301")
    assert key("\u0646\u0645\u06cc\u200c\u062f\u0627\u0646\u0645") == key(
        "\u0646\u0645\u06cc\u062f\u0627\u0646\u0645"
    )


def test_other_agents_and_tenants_have_their_own() -> None:
    cache = AnswerCache()
    cache.keep(key(), ANSWER, 0.0)
    assert cache.find(key(agent="Clinic"), 1.0) == ()
    assert cache.find(key(tenant="other"), 1.0) == ()


@pytest.mark.parametrize(
    ("said", "first"),
    [
        (ASKED, False),
        ("My number is 41573.", True),
        ("", True),
        ("?!", True),
        ("word " * 40, True),
    ],
)
def test_what_may_be_about_somebody_is_not_kept(said: str, first: bool) -> None:
    assert generate_cache_key("Desk", "", said, first_words=first) is None


def test_an_old_answer_is_gone() -> None:
    cache = AnswerCache(seconds=300)
    cache.keep(key(), ANSWER, 0.0)
    assert cache.find(key(), 300.0) == ANSWER
    assert cache.find(key(), 300.1) == ()
    assert len(cache) == 0


def test_there_are_only_so_many_and_the_oldest_goes() -> None:
    cache = AnswerCache(limit=2)
    for said in ("one", "two", "one", "three"):
        cache.keep(key(said), ANSWER, 0.0)
    assert cache.find(key("two"), 0.0) == ()
    assert cache.find(key("one"), 0.0) == ANSWER
    assert len(cache) == 2


def test_nothing_said_is_nothing_to_keep() -> None:
    cache = AnswerCache()
    cache.keep(key(), (), 0.0)
    assert len(cache) == 0


def _meant(*values: float, named: str = "") -> Meant:
    vector = np.asarray(values, dtype=np.float32)
    return Meant(vector / np.linalg.norm(vector), frozenset(named.split()))


def test_a_question_in_other_words_has_the_nearest_answer_that_is_near_enough() -> None:
    cache = AnswerCache()
    cache.keep(("clinic", "", "are you open"), ["From nine."], 0.0, _meant(1, 0))
    cache.keep(("clinic", "", "is it open"), ["Nine to five."], 0.0, _meant(1, 0.2))
    asked = ("clinic", "", "when do you open")
    assert cache.near(asked, _meant(1, 0.3), 0.95, 1.0) == ("Nine to five.",)
    assert cache.near(asked, _meant(0, 1), 0.95, 1.0) == ()
    assert cache.near(asked, _meant(1, 0.3), 0.999, 1.0) == ()


@pytest.mark.parametrize(
    ("asked", "meant", "now"),
    [
        (("clinic", "other", "x"), _meant(1, 0), 1.0),
        (("winery", "", "x"), _meant(1, 0), 1.0),
        (("clinic", "", "x"), _meant(1, 0, named="monday"), 1.0),
        (("clinic", "", "x"), _meant(1, 0, 0), 1.0),
        (("clinic", "", "x"), _meant(1, 0), 301.0),
    ],
    ids=["tenant", "agent", "particulars", "another embedder", "too old"],
)
def test_another_callers_answer_is_not_this_ones(asked: Key, meant: Meant, now: float) -> None:
    cache = AnswerCache()
    cache.keep(("clinic", "", "are you open"), ["From nine."], 0.0, _meant(1, 0))
    assert cache.near(asked, meant, 0.9, now) == ()


def test_an_answer_without_a_meaning_is_found_by_its_words_alone() -> None:
    cache = AnswerCache()
    cache.keep(("clinic", "", "are you open"), ["From nine."], 0.0)
    assert cache.near(("clinic", "", "x"), _meant(1, 0), 0.5, 1.0) == ()
    assert cache.find(("clinic", "", "are you open"), 1.0) == ("From nine.",)
