"""The recogniser's language model: a trigram model of what callers of a clinic say.

    python -m aybiza.emulators.deepgram.language_model

draws sentences from `model/clinic.grammar`, adds some general English, and writes
`model/clinic.arpa.gz` (interpolated Witten-Bell, written as back-off) and `model/clinic.dict` (the
words' pronunciations, from the recogniser's own dictionary). Both are shipped; the same grammar and
the same recogniser give the same files. Takes a minute.

General English is what the recogniser's own big model finds likely; without it, wordings that the
grammar does not know are forced into ones that it does.

Errors: `ValueError` for a line that is no rule of a grammar.
Source: ARPA back-off format; Witten and Bell (1991); CMU Pronouncing Dictionary.
"""

from __future__ import annotations

import gzip
import math
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("model")
GRAMMAR = FOLDER / "clinic.grammar"
MODEL = FOLDER / "clinic.arpa.gz"
DICTIONARY = FOLDER / "clinic.dict"

SENTENCES = 60_000
SEED = 1
OPTION_SHARE = 0.4

GENERAL_SENTENCES = 20_000
GENERAL_WORDS = 1000
# What a general sentence counts, beside 1 for one of the grammar.
GENERAL_WEIGHT = 0.15
# A general sentence goes on with one of so many words that are likely behind the last.
CANDIDATES = 250
LONGEST = 16

# Trigrams that count no more are left to the bigrams: the model is a third of the size and
# recognises as well.
RARE = 1.14

_RULE = re.compile(r"(\w+)\s*(?:\[(\d+)\])?\s*=(.*)")
_TOKEN = re.compile(r"[\[\]()|]|<[a-z_0-9]+>|[^\s\[\]()|<>]+")
_VOWELS = frozenset("aeiou")
_SOUNDS_LIKE_A_VOWEL = frozenset(["hour", "x", "f", "m", "n", "s", "r", "l", "h"])
_SOUNDS_LIKE_A_CONSONANT = frozenset(["one", "us", "u"])
# Those that the recogniser's dictionary lacks.
_MORE_WORDS = {"cleanings": "K L IY N IH NG Z", "covid": "K OW V IH D", "priya": "P R IY AH"}
_PLAIN_WORD = re.compile(r"[a-z][a-z']*")

Node = tuple[str, "str | Alternatives"]
Alternatives = list[list[Node]]
Sentence = Sequence[str]
Pronunciations = dict[str, list[str]]


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
    """Either "a" or "an", as the next word wants it."""
    fixed = list(words)
    for index, (word, following) in enumerate(pairwise(words)):
        if word in ("a", "an"):
            vowel = following[0] in _VOWELS and following not in _SOUNDS_LIKE_A_CONSONANT
            vowel = vowel and not following.startswith("eu")
            fixed[index] = "an" if vowel or following in _SOUNDS_LIKE_A_VOWEL else "a"
    return fixed


class GeneralEnglish:
    """Sentences as the recogniser's own model of English finds them likely."""

    def __init__(self, model: Any, vocabulary: Iterable[str], seed: int = SEED) -> None:
        # `model.prob` takes the word and then those before it, the last one first.
        self._probability = model.prob
        self._vocabulary = [*sorted(vocabulary), "</s>"]
        self._candidates: dict[str, list[str]] = {}
        self._random = random.Random(seed)

    def sentence(self) -> list[str]:
        """The words of a sentence; a long one is cut off."""
        words = ["<s>"]
        while len(words) <= LONGEST:
            following = self._following(words)
            if following == "</s>":
                break
            words.append(following)
        return words[1:]

    def _following(self, words: list[str]) -> str:
        before = words[-1:-3:-1]
        candidates = self._likely_behind(words[-1])
        weights = [math.exp(self._probability([word, *before]) * _LOG_BASE) for word in candidates]
        return self._random.choices(candidates, weights)[0]

    def _likely_behind(self, last: str) -> list[str]:
        if last not in self._candidates:
            ranked = sorted(
                self._vocabulary, key=lambda word: self._probability([word, last]), reverse=True
            )
            self._candidates[last] = ranked[:CANDIDATES]
        return self._candidates[last]


# The recogniser's logarithms are to this base.
_LOG_BASE = math.log(1.0001)


def common_words(model: Any, known: Pronunciations, count: int = GENERAL_WORDS) -> list[str]:
    """The most frequent words of the recogniser's own model."""
    plain = [word for word in known if _PLAIN_WORD.fullmatch(word)]
    return sorted(plain, key=lambda word: (-model.prob([word]), word))[:count]


def trigrams(sentences: Iterable[Sentence], general: Iterable[Sentence] = ()) -> str:
    """The ARPA text of the model of `sentences`, with `general` ones beside them."""
    ones: defaultdict[str, float] = defaultdict(float)
    twos: defaultdict[tuple[str, str], float] = defaultdict(float)
    threes: defaultdict[tuple[str, str, str], float] = defaultdict(float)
    for weight, drawn in ((1.0, sentences), (GENERAL_WEIGHT, general)):
        for sentence in drawn:
            words = ["<s>", *sentence, "</s>"]
            for word in words:
                ones[word] += weight
            for pair in pairwise(words):
                twos[pair] += weight
            for triple in zip(words, words[1:], words[2:], strict=False):
                threes[triple] += weight
    ones.pop("<s>", None)
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
    lines = ["\\data\\", f"ngram 1={len(p1) + 1}", f"ngram 2={len(p2)}", f"ngram 3={len(p3)}"]
    lines += ["", "\\1-grams:", f"-99.0 <s> {_log(back1['<s>'])}"]
    lines += [f"{_log(p1[a])} {a} {_log(back1.get(a, 1.0))}" for a in sorted(p1)]
    lines += ["", "\\2-grams:"]
    lines += [f"{_log(p2[k])} {k[0]} {k[1]} {_log(back2.get(k, 1.0))}" for k in sorted(p2)]
    lines += ["", "\\3-grams:"]
    lines += [f"{_log(p3[k])} {' '.join(k)}" for k in sorted(p3)]
    return "\n".join([*lines, "", "\\end\\", ""])


def _contexts(
    counts: Iterable[tuple[object, float]],
) -> tuple[defaultdict[object, float], Counter[object]]:
    """How often each context was seen, and how many different words followed it."""
    seen: defaultdict[object, float] = defaultdict(float)
    after: Counter[object] = Counter()
    for context, count in counts:
        seen[context] += count
        after[context] += 1
    return seen, after


def _log(probability: float) -> str:
    return f"{math.log10(max(probability, 1e-9)):.4f}"


def pronunciations() -> Pronunciations:
    """The lines of the recogniser's own dictionary, and some more, by word."""
    import pocketsphinx

    known: defaultdict[str, list[str]] = defaultdict(list)
    source = Path(pocketsphinx.get_model_path("en-us/cmudict-en-us.dict"))
    for line in source.read_text(encoding="utf-8").splitlines():
        known[re.sub(r"\(\d+\)$", "", line.split(" ", 1)[0])].append(line)
    for word, sounds in _MORE_WORDS.items():
        known[word] = known.get(word) or [f"{word} {sounds}"]
    return known


def main() -> None:
    """Write the model and its dictionary.

    Sentences with a word that nobody can pronounce are left out.
    """
    import pocketsphinx

    grammar = Grammar(GRAMMAR.read_text(encoding="utf-8"))
    known = pronunciations()
    drawn = [grammar.sentence() for _ in range(SENTENCES)]
    words = {word for sentence in drawn for word in sentence}
    mute = {word for word in words if word not in known}
    kept = [sentence for sentence in drawn if mute.isdisjoint(sentence)]
    model = pocketsphinx.NGramModel.readfile(pocketsphinx.get_model_path("en-us/en-us.lm.bin"))
    vocabulary = (words - mute).union(common_words(model, known))
    general = GeneralEnglish(model, vocabulary)
    spoken = [general.sentence() for _ in range(GENERAL_SENTENCES)]
    with gzip.GzipFile(MODEL, "wb", mtime=0) as file:
        file.write(trigrams(kept, spoken).encode())
    said = words - mute | {word for sentence in spoken for word in sentence}
    lines = [line for word in sorted(said) for line in known[word]]
    DICTIONARY.write_text("\n".join([*lines, ""]), encoding="utf-8")
    print(f"{len(kept)} of {len(drawn)} sentences, {len(spoken)} general ones, {len(said)} words")
    if mute:
        print(f"not in the recogniser's dictionary: {', '.join(sorted(mute))}")


if __name__ == "__main__":
    main()
