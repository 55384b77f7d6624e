"""Sentences out of Claude's text: one splitter, and the specification's two functions on it.

Purpose: hand each sentence to speech the moment it is complete.
Contract: `SentenceSplitter` finds the ends of sentences by a rule set, which is a pattern of places
where one may end and a judge of them (`_ENDS`). A call's rules cut no numbers, abbreviations,
initials, ellipses or addresses, need no capital letters and know other scripts' stops.
`extract_complete_sentences` and `process_streaming_chunk` answer as the specification's Elixir
does, unless they are told a call's rules.
Errors: none; any text is accepted.
Source: Bedrock guide, section 2 (`extract_complete_sentences`, `process_streaming_chunk`).
"""

# The stops of other scripts look like ASCII ones, and are meant.
# ruff: noqa: RUF001

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from aybiza.claude.abbreviations import (
    BEFORE_NUMBER,
    BEFORE_ORDINAL,
    BROKEN,
    CLOCK,
    DAYS_AND_ZONES,
    MAYBE,
    MONTHS,
    NEVER,
    SENTENCE_OPENERS,
)
from aybiza.config import clocks
from aybiza.config.rule_sets import RULE_SETS, Rules


def extract_complete_sentences(
    text: str, *, rules: Rules = "specification"
) -> tuple[list[str], str]:
    """Complete sentences of `text`, and what remains.

    In the specification's rules a sentence ends at `.`, `!` or `?` before ASCII white space and an
    ASCII capital, or at the very end of the text.

    >>> extract_complete_sentences("Ask Dr. Lee. It is open")
    (['Ask Dr.', 'Lee.'], 'It is open')
    >>> extract_complete_sentences("Ask Dr. Lee. It is open", rules="call")
    (['Ask Dr. Lee.'], 'It is open')
    """
    splitter = SentenceSplitter(rules=rules)
    return splitter.feed(text), splitter.pending


@dataclass(frozen=True, slots=True)
class StreamAccumulator:
    """What `process_streaming_chunk` carries from chunk to chunk.

    buffer: text not yet given out. sentence_count: sentences given out. first_token_at: the
    clock at the first text delta, and first_token_latency: the time until then; None before it.
    """

    buffer: str = ""
    sentence_count: int = 0
    first_token_at: float | None = None
    first_token_latency: float | None = None


def process_streaming_chunk(
    chunk: Mapping[str, Any],
    acc: StreamAccumulator,
    start_time: float,
    context: Mapping[str, Any],
    *,
    rules: Rules = "specification",
    clock: Callable[[], float] = clocks.monotonic,
) -> tuple[list[dict[str, Any]], StreamAccumulator]:
    """Events of one decoded chunk in the native (InvokeModel) stream form, and the accumulator
    after it.

    start_time: when the request began, by `clock`; the accumulator tells from it how long the first
    text took. Events have the `context`, and are `{"type": "sentence_complete" | "content_final",
    "text", "sequence"}`, `{"type": "stream_complete"}`, `{"type": "error", "error"}`. Chunks of any
    other form give none. As printed all sentences of one chunk have the same number; by the
    specification's rules they count up.
    `content_final` never advances the count.

    >>> text = {"type": "content_block_delta", "delta": {"text": "Yes. We do. No"}}
    >>> events, acc = process_streaming_chunk(text, StreamAccumulator(), 0.0, {})
    >>> [(event["text"], event["sequence"]) for event in events], acc.buffer
    ([('Yes.', 1), ('We do.', 2)], 'No')
    """
    match chunk:
        case {"type": "content_block_delta", "delta": {"text": str(text)}}:
            if acc.first_token_at is None:
                now = clock()
                acc = replace(acc, first_token_at=now, first_token_latency=now - start_time)
            sentences, rest = extract_complete_sentences(acc.buffer + text, rules=rules)
            counts = RULE_SETS[rules].counts_sentences
            events: list[dict[str, Any]] = [
                {
                    "type": "sentence_complete",
                    "text": sentence,
                    "sequence": acc.sentence_count + (number if counts else 1),
                    "context": context,
                }
                for number, sentence in enumerate(sentences, start=1)
            ]
            count = acc.sentence_count + len(sentences)
            return events, replace(acc, buffer=rest, sentence_count=count)
        case {"type": "content_block_stop"} if acc.buffer:
            final = {
                "type": "content_final",
                "text": acc.buffer,
                "sequence": acc.sentence_count + 1,
                "context": context,
            }
            return [final], replace(acc, buffer="")
        case {"type": "message_stop"}:
            return [{"type": "stream_complete", "context": context}], acc
        case {"type": "error", "error": error}:
            return [{"type": "error", "error": error, "context": context}], acc
        case _:
            return [], acc


# Stops that end a sentence without a doubt. The wide ones are written without a blank after them.
_WIDE_STOPS: Final = "。！？｡"
_STRONG_STOPS: Final = "!?‽؟۔।॥։።" + _WIDE_STOPS
_CLOSERS: Final = "\"'”’»›)]}」』）】》〉*_"
_QUOTE_PAIRS: Final = ("“”", "«»", "()", "[]", "{}", "「」", "『』", "（）", "【】", "《》")

_CANDIDATE = re.compile(
    rf"(?P<stops>[.…{re.escape(_STRONG_STOPS)}]+)(?P<closers>[{re.escape(_CLOSERS)}]*)"
    r"|(?P<line>\n[ \t]*(?:\r?\n|[-*•–][ \t]|\d{1,2}[.)][ \t]))"
)
_OPENING = "\"'“‘«‹([{「『（【《〈*_¿¡#"
_DOTTED = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]", re.UNICODE)
_ADDRESS = re.compile(r"://|[/@=]|^[^\W\d]\w*(?:\.\w+)+$")
_NEXT_WORD = re.compile(r"\s+[^\w\s]*(?P<word>[^\W_](?:[\w'’]*\w)?)?(?P<after>.)?", re.DOTALL)
_SPOKEN = re.compile(r"[^\W_]")
_CLAUSE_END = re.compile(r"[,;:…—–、，；：](?=\s)|[、，；：]|(?<!\.)\.{2,}(?=\s)")

# How far past the length limit the search looks, so that a run of stops at the limit stays whole.
_STOPS_BEYOND_LIMIT: Final = 64

_CUT, _ON, _WAIT = "cut", "on", "wait"


class SentenceSplitter:
    """Text deltas in, complete spoken sentences out, as early as it is safe.

    `feed(delta)` returns the sentences that the delta proves complete; `flush()` returns the rest
    and is called when the text has ended (messageStop) or pauses (a tool call). A piece carries no
    white space at its ends: put together with the white space dropped between pieces, the pieces
    are the text; nothing is lost and nothing comes twice.

    `?` and `!` and the stops of scripts without blanks end a sentence at once, unless a quotation
    or bracket is open. A `.` waits for what comes after it, because it may be a decimal point, an
    abbreviation or an address. A blank line or the start of a list item ends a sentence too.

    max_chars: a sentence longer than this is cut at a clause (or, failing that, a word), so that a
    text without stops is spoken all the same and the buffer stays bounded. first_clause_chars: the
    very first piece may be a clause of at least so many characters, for the caller waits for it
    (None: never). By the specification's rules neither holds, and white space at the ends stays.
    """

    def __init__(
        self,
        *,
        max_chars: int = 300,
        first_clause_chars: int | None = None,
        rules: Rules = "call",
    ) -> None:
        if max_chars < 1:
            raise ValueError(f"max_chars must be at least 1, not {max_chars}")
        self._ends = _ENDS[rules]
        self._max_chars = max_chars
        self._first_clause_chars = first_clause_chars
        self._buffer = ""

    @property
    def pending(self) -> str:
        """Text taken in and not yet given out."""
        return self._buffer

    def feed(self, delta: str) -> list[str]:
        """Sentences that are complete now that `delta` has come."""
        self._buffer += delta if self._buffer or self._ends.as_it_is else delta.lstrip()
        return self._take(final=False)

    def flush(self) -> list[str]:
        """All that is left; the splitter is empty afterwards and can be used again."""
        pieces = self._take(final=True)
        rest = self._buffer.strip()
        self._buffer = ""
        return [*pieces, rest] if rest else pieces

    def _take(self, *, final: bool) -> list[str]:
        pieces: list[str] = []
        while (end := self._end_of_first(final)) is not None:
            piece = self._buffer[:end]
            pieces.append(piece if self._ends.as_it_is else piece.rstrip())
            self._buffer = self._buffer[end:].lstrip()
            self._first_clause_chars = None
        return pieces

    def _end_of_first(self, final: bool) -> int | None:
        text = self._buffer
        ends = self._ends
        limit = len(text) if ends.as_it_is else self._max_chars
        for candidate in ends.candidates.finditer(text, 0, limit + _STOPS_BEYOND_LIMIT):
            if candidate.start() > limit:
                break
            verdict = ends.judge(text, candidate, final)
            if verdict == _CUT:
                return candidate.start() if candidate.lastgroup == "line" else candidate.end()
            if verdict == _WAIT:
                break
        if len(text) > limit + 1:
            return _cut_at_clause(text, limit)
        least = self._first_clause_chars
        return None if final or least is None else _end_of_clause(text, least)


def _judge(text: str, candidate: re.Match[str], final: bool) -> str:
    """Does a sentence end here: _CUT, _ON (it goes on), _WAIT (the text to come decides)."""
    before = text[: candidate.start()]
    if not _SPOKEN.search(before):
        return _ON
    if candidate["line"]:
        return _CUT
    at_end = candidate.end() == len(text)
    if at_end and final:
        return _CUT
    stops = candidate["stops"]
    if any(stop in _STRONG_STOPS for stop in stops):
        return _judge_strong(text, candidate, at_end)
    if at_end:
        return _WAIT
    if len(stops) > 1 or stops == "…" or not text[candidate.end()].isspace():
        return _ON
    return _judge_full_stop(text, candidate, final)


def _judge_strong(text: str, candidate: re.Match[str], at_end: bool) -> str:
    before = text[: candidate.start()]
    if at_end:
        undecided = (
            candidate["closers"] or _open_pair(before) or _ADDRESS.search(_last_word(before))
        )
        return _WAIT if undecided else _CUT
    after = text[candidate.end()]
    if candidate["closers"]:
        return _judge_after_quote(text, candidate)
    if after.isspace() or candidate["stops"][-1] in _WIDE_STOPS:
        return _CUT
    runs_on = after.islower() or after.isdigit() or after in "/=&#%+-_.@:,;"
    return _ON if runs_on or _ADDRESS.search(_last_word(before)) else _CUT


def _judge_after_quote(text: str, candidate: re.Match[str]) -> str:
    """A quoted sentence before a small letter is inside a longer one: He asked "why?" and left."""
    rest = text[candidate.end() :]
    following = rest.lstrip()
    if not following:
        return _WAIT
    goes_on = following[0].islower() or following == rest
    return _ON if goes_on else _CUT


def _judge_full_stop(text: str, candidate: re.Match[str], final: bool) -> str:
    """One stop before white space: the word before it says whether the next one must be known."""
    before = text[: candidate.start()]
    word = _last_word(before)
    key = word.lower().replace("’", "'").rsplit("'", 1)[-1]
    is_number = word.isdecimal()
    is_letter = len(word) == 1 and word.isupper()
    others = before.strip().removesuffix(word).rstrip()
    labels_an_item = (is_number or is_letter) and (not others or others.endswith(":"))
    if key in NEVER or labels_an_item or (is_number and _is_in_a_row(others)):
        return _ON
    if key in BROKEN.get(_last_word(others).lower().rstrip("."), ()):
        return _ON
    numbered = key in BEFORE_NUMBER
    clock = key in CLOCK
    maybe = is_letter or key in MAYBE or key in BROKEN or _DOTTED.fullmatch(word)
    if not (numbered or clock or maybe or is_number):
        return _judge_after_quote(text, candidate) if candidate["closers"] else _CUT

    following = _NEXT_WORD.match(text, candidate.end())
    next_word = following["word"] if following else None
    if following is None or next_word is None or (following["after"] is None and not final):
        return _CUT if final else _WAIT
    if key in BROKEN:
        return _ON if next_word.lower() in BROKEN[key] else _CUT
    if numbered and not clock:
        return _ON if next_word[0].isdigit() or next_word[0].islower() else _CUT
    if not next_word[0].isupper():
        return _CUT if is_number and not next_word[0].islower() else _ON
    next_key = next_word.lower().replace("’", "'")
    if is_number:
        return _ON if next_key in MONTHS else _CUT
    if clock:
        return _ON if next_key in DAYS_AND_ZONES or next_key in MONTHS else _CUT
    return _CUT if next_key in SENTENCE_OPENERS else _ON


@dataclass(frozen=True, slots=True)
class _Ends:
    """Where sentences end by a rule set: the places that a judge is asked of. as_it_is: whether a
    piece keeps its white space and may be of any length."""

    candidates: re.Pattern[str]
    judge: Callable[[str, re.Match[str], bool], str]
    as_it_is: bool = False


_AS_PRINTED: Final = _Ends(
    re.compile(r"[.!?](?:(?=\s+[A-Z])|\n?\Z)", re.ASCII), lambda *_: _CUT, as_it_is=True
)
_ENDS: Final[Mapping[Rules, _Ends]] = {
    "printed": _AS_PRINTED,
    "specification": _AS_PRINTED,
    "call": _Ends(_CANDIDATE, _judge),
}


def _is_in_a_row(before: str) -> bool:
    """Whether a number behind these words is one of a row: "am 3.", "der 1."."""
    words = before.lower().split()[-2:]
    return bool(words) and words[-1] in BEFORE_ORDINAL and words != ["i", "am"]


def ends_a_sentence(text: str) -> bool:
    """Whether the text has its stop, be it within quotation marks."""
    return text.rstrip(_CLOSERS + " ").endswith((".", "…", *_STRONG_STOPS))


def _last_word(text: str) -> str:
    words = text.rsplit(None, 1)
    return words[-1].lstrip(_OPENING) if words else ""


def _open_pair(text: str) -> bool:
    """Whether a quotation or bracket was opened and not closed."""
    if text.count('"') % 2:
        return True
    return any(text.count(pair[0]) > text.count(pair[1]) for pair in _QUOTE_PAIRS)


def _end_of_clause(text: str, least: int) -> int | None:
    """The end of a clause of at least `least` characters that stands by itself."""
    for found in _CLAUSE_END.finditer(text):
        if found.end() >= least and not _open_pair(text[: found.start()]):
            return found.end()
    return None


def _cut_at_clause(text: str, limit: int) -> int | None:
    """Where to cut a text longer than `limit` that has no end of sentence; None: not yet."""
    head = text[: limit + 1]
    clauses = [match.end() for match in _CLAUSE_END.finditer(head) if match.end() >= limit // 3]
    if clauses:
        return clauses[-1]
    for index in range(limit, 0, -1):
        if head[index].isspace():
            return index
    return limit if len(text) > 2 * limit else None
