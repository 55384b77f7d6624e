"""The recogniser's language model: sentences of a grammar, and the counts of them."""

import gzip
import math
import re

import pytest

from aybiza.emulators.deepgram.language_model import DICTIONARY, GRAMMAR, MODEL, Grammar


def sentences(text: str, count: int = 200) -> set[str]:
    grammar = Grammar(text)
    return {" ".join(grammar.sentence()) for _ in range(count)}


def test_choices_options_and_rules_are_drawn_in_every_combination() -> None:
    text = "ask [1] = book [me] <what> | (cancel | move) it\nwhat = a visit | an appointment\n"
    assert sentences(text) == {
        "book a visit",
        "book an appointment",
        "book me a visit",
        "book me an appointment",
        "cancel it",
        "move it",
    }


def test_the_article_is_the_one_that_the_next_word_wants() -> None:
    assert sentences("ask [1] = a appointment | an visit | a hour\n") == {
        "an appointment",
        "a visit",
        "an hour",
    }


def test_the_same_grammar_gives_the_same_sentences() -> None:
    text = GRAMMAR.read_text(encoding="utf-8")
    one, other = Grammar(text), Grammar(text)
    assert [one.sentence() for _ in range(50)] == [other.sentence() for _ in range(50)]


@pytest.mark.parametrize("line", ["no rule at all", "ask [1] = (one | two"])
def test_a_line_that_is_no_rule_is_told_by_its_number(line: str) -> None:
    with pytest.raises((ValueError, IndexError), match=r"line 2|range"):
        Grammar(f"# a comment\n{line}\n")


def test_the_shipped_model_is_a_distribution_over_the_words_of_its_dictionary() -> None:
    text = gzip.decompress(MODEL.read_bytes()).decode()
    ones = text.partition("\\1-grams:\n")[2].partition("\n\n")[0].splitlines()
    logs = {line.split()[1]: float(line.split()[0]) for line in ones}
    shares = {word: 10**log for word, log in logs.items() if word != "<s>"}
    assert math.isclose(sum(shares.values()), 1.0, abs_tol=0.01)
    lines = DICTIONARY.read_text(encoding="utf-8").splitlines()
    spoken = {re.sub(r"\(\d+\)$", "", line.split()[0]) for line in lines}
    assert set(shares) - {"</s>"} <= spoken
