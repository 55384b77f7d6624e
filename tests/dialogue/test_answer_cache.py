"""Answers for when no model can be reached: what is kept, for whom, and how long."""

from __future__ import annotations

import pytest

from aybiza.dialogue.answer_cache import AnswerCache, generate_cache_key

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
