"""The recogniser's language model: a trigram model counted on sentences of a grammar.

    python -m emulators.deepgram.language_model

draws sentences from `model/clinic.grammar` and writes `model/clinic.arpa.gz` (interpolated
Witten-Bell, written as back-off) and `model/clinic.dict` (the words' pronunciations, from the
recogniser's own dictionary). Both are shipped; the same grammar gives the same files.

Source: ARPA back-off format; Witten and Bell (1991); CMU Pronouncing Dictionary.
"""

from __future__ import annotations

import gzip
import math
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

FOLDER = Path(__file__).with_name("model")
GRAMMAR = FOLDER / "clinic.grammar"
MODEL = FOLDER / "clinic.arpa.gz"
DICTIONARY = FOLDER / "clinic.dict"

SENTENCES = 60_000
SEED = 1
OPTION_SHARE = 0.4
# Trigrams seen this often or less are left to the bigrams: the model is a third of the size and
# recognises as well.
RARE = 1

_RULE = re.compile(r"(\w+)\s*(?:\[(\d+)\])?\s*=(.*)")
_TOKEN = re.compile(r"[\[\]()|]|<[a-z_0-9]+>|[^\s\[\]()|<>]+")
_VOWELS = frozenset("aeiou")
_SOUNDS_LIKE_A_VOWEL = frozenset(["hour", "x", "f", "m", "n", "s", "r", "l", "h"])
_SOUNDS_LIKE_A_CONSONANT = frozenset(["one", "us", "u"])

Node = tuple[str, "str | Alternatives"]
Alternatives = list[list[Node]]


class Grammar:
    """Sentences as a grammar file describes them; the file's own head explains its form."""

    def __init__(self, text: str, seed: int = SEED) -> None:
        self._rules: dict[str, Alternatives] = {}
        self._starts: dict[str, int] = {}
        self._random = random.Random(seed)
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip() and not line.startswith("#"):
                self._add(line.strip(), number)

    def sentence(self) -> list[str]:
        """The words of a sentence, drawn by the weights."""
        names, weights = list(self._starts), list(self._starts.values())
        words: list[str] = []
        self._expand(self._rules[self._random.choices(names, weights)[0]], words)
        return _with_articles(words)

    def _add(self, line: str, number: int) -> None:
        match = _RULE.match(line)
        if match is None:
            raise ValueError(f"line {number} of the grammar is no rule: {line}")
        name, weight, body = match.groups()
        tokens = _TOKEN.findall(body)
        alternatives, end = _alternatives(tokens, 0, None)
        if end != len(tokens):
            raise ValueError(f"line {number} of the grammar: brackets do not match")
        self._rules[name] = alternatives
        if weight:
            self._starts[name] = int(weight)

    def _expand(self, alternatives: Alternatives, words: list[str]) -> None:
        for kind, value in self._random.choice(alternatives):
            if isinstance(value, str):
                if kind == "word":
                    words.append(value)
                else:
                    self._expand(self._rules[value], words)
            elif kind == "choice" or self._random.random() < OPTION_SHARE:
                self._expand(value, words)


def _alternatives(tokens: list[str], at: int, stop: str | None) -> tuple[Alternatives, int]:
    found: Alternatives = [[]]
    while at < len(tokens) and tokens[at] != stop:
        token = tokens[at]
        at += 1
        if token == "|":
            found.append([])
        elif token in "([":
            inner, at = _alternatives(tokens, at, ")" if token == "(" else "]")
            found[-1].append(("choice" if token == "(" else "option", inner))
            at += 1
        elif token.startswith("<"):
            found[-1].append(("rule", token[1:-1]))
        else:
            found[-1].append(("word", token))
    return found, at


def _with_articles(words: list[str]) -> list[str]:
    """The words with "a" or "an" as the next one wants it."""
    fixed = list(words)
    for index, (word, following) in enumerate(pairwise(words)):
        if word in ("a", "an"):
            vowel = following[0] in _VOWELS and following not in _SOUNDS_LIKE_A_CONSONANT
            vowel = vowel and not following.startswith("eu")
            fixed[index] = "an" if vowel or following in _SOUNDS_LIKE_A_VOWEL else "a"
    return fixed


def trigrams(sentences: Iterable[list[str]]) -> str:
    """The ARPA text of the model of `sentences`."""
    ones: Counter[str] = Counter()
    twos: Counter[tuple[str, str]] = Counter()
    threes: Counter[tuple[str, str, str]] = Counter()
    for sentence in sentences:
        words = ["<s>", *sentence, "</s>"]
        ones.update(words)
        twos.update(pairwise(words))
        threes.update(zip(words, words[1:], words[2:], strict=False))
    starts = ones.pop("<s>")
    total, kinds = sum(ones.values()), len(ones)
    p1 = {word: (n + 1.0) / (total + kinds) for word, n in ones.items()}
    seen2, after2 = _contexts((pair[0], n) for pair, n in twos.items())
    p2 = {(a, b): (n + after2[a] * p1[b]) / (seen2[a] + after2[a]) for (a, b), n in twos.items()}
    seen3, after3 = _contexts(((a, b), n) for (a, b, _), n in threes.items())
    p3 = {
        (a, b, c): (n + after3[a, b] * p2[b, c]) / (seen3[a, b] + after3[a, b])
        for (a, b, c), n in threes.items()
        if n > RARE
    }
    left3: defaultdict[tuple[str, str], list[float]] = defaultdict(lambda: [1.0, 1.0])
    for (a, b, c), p in p3.items():
        left3[a, b][0] -= p
        left3[a, b][1] -= p2[b, c]
    back1 = {a: after2[a] / (seen2[a] + after2[a]) for a in seen2}
    back2 = {pair: max(1e-7, high) / max(1e-7, low) for pair, (high, low) in left3.items()}
    assert starts
    lines = ["\\data\\", f"ngram 1={len(p1) + 1}", f"ngram 2={len(p2)}", f"ngram 3={len(p3)}"]
    lines += ["", "\\1-grams:", f"-99.0 <s> {_log(back1['<s>'])}"]
    lines += [f"{_log(p1[a])} {a} {_log(back1.get(a, 1.0))}" for a in sorted(p1)]
    lines += ["", "\\2-grams:"]
    lines += [f"{_log(p2[k])} {k[0]} {k[1]} {_log(back2.get(k, 1.0))}" for k in sorted(p2)]
    lines += ["", "\\3-grams:"]
    lines += [f"{_log(p3[k])} {' '.join(k)}" for k in sorted(p3)]
    return "\n".join([*lines, "", "\\end\\", ""])


def _contexts(counts: Iterable[tuple[object, int]]) -> tuple[Counter[object], Counter[object]]:
    """How often each context was seen, and how many different words followed it."""
    seen: Counter[object] = Counter()
    after: Counter[object] = Counter()
    for context, count in counts:
        seen[context] += count
        after[context] += 1
    return seen, after


def _log(probability: float) -> str:
    return f"{math.log10(max(probability, 1e-9)):.4f}"


def pronunciations() -> dict[str, list[str]]:
    """The lines of the recogniser's own dictionary, by word."""
    import pocketsphinx

    known: defaultdict[str, list[str]] = defaultdict(list)
    source = Path(pocketsphinx.get_model_path("en-us/cmudict-en-us.dict"))
    for line in source.read_text(encoding="utf-8").splitlines():
        known[re.sub(r"\(\d+\)$", "", line.split(" ", 1)[0])].append(line)
    return known


def main() -> None:
    """Write model and dictionary; a sentence with a word that has no pronunciation is left out."""
    grammar = Grammar(GRAMMAR.read_text(encoding="utf-8"))
    known = pronunciations()
    drawn = [grammar.sentence() for _ in range(SENTENCES)]
    words = {word for sentence in drawn for word in sentence}
    mute = {word for word in words if word not in known}
    kept = [sentence for sentence in drawn if mute.isdisjoint(sentence)]
    with gzip.GzipFile(MODEL, "wb", mtime=0) as file:
        file.write(trigrams(kept).encode())
    lines = [line for word in sorted(words - mute) for line in known[word]]
    DICTIONARY.write_text("\n".join([*lines, ""]), encoding="utf-8")
    print(f"{len(kept)} of {len(drawn)} sentences, {len(words - mute)} words")
    if mute:
        print(f"not in the recogniser's dictionary: {', '.join(sorted(mute))}")


if __name__ == "__main__":
    main()
