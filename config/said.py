"""What was said is not shown: the shape of a value, and an error without the words it was given.

    shape({"owner": "anna", "turn": 3})         "{<str of 5>: <str of 4>, <str of 4>: 3}"
    error_text(error, state, message)           its traceback, with `…` for what these hold

A state, a message and an error may hold what a caller has said or keyed in, a name, a number. Who
reads a log needs to know where something broke and what kind of value was there, not the words. So
a text is shown by its length, and an error's sentence loses every word that the values at hand
hold: those of its frames' variables, and those that are handed in. Program text (types, fields,
lines of source) stays. A class of the program's own may name its members in `shown_members`.

Contract: for threads; bounded in what it looks at: where there is more, the whole sentence is `…`;
never raises for any value. Errors: none.
"""

import contextlib
import enum
import re
import traceback
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from itertools import islice
from types import FunctionType, MemberDescriptorType, MethodType, ModuleType, TracebackType
from typing import Any, Final
from uuid import UUID

MOST_OBJECTS: Final = 2000
"""Values that are looked into for words, of one error."""
MOST_CHARACTERS: Final = 300_000
"""Characters of texts that are looked through, of one error."""
TRIES: Final = 3
"""Times that a value is looked into which another thread changes."""
MOST_ITEMS: Final = 20
DEEPEST: Final = 4
LEAST_WORD: Final = 4
"""Characters of a word that is hidden by itself; of figures one less."""
LEAST_LARGE: Final = 10**6
"""From here on a number may be somebody's."""
ELLIPSIS: Final = "…"

_WORD = re.compile(r"\w+")
_WHOLE: set[type] = {bool, type(None)}
_APART: set[type] = set()


def show_whole(*kinds: type) -> None:
    """Have values of these types shown as their `repr`: they hold nothing of what was said."""
    _WHOLE.update(kinds)


def look_past(*kinds: type) -> None:
    """Have no words sought in values of these types, which refer to all of a program."""
    _APART.update(kinds)


def shape(value: Any, names: Collection[str] = (), depth: int = DEEPEST) -> str:
    """Types, lengths and figures of a value, without its texts.

    `names`: keys of the outermost mapping that are the program's own, so that they are shown.
    """
    kind = type(value)
    if kind in _WHOLE:
        return repr(value)
    if isinstance(value, enum.Enum):
        return f"{kind.__name__}.{value.name}"
    if kind in (int, float):
        return repr(value) if abs(value) < LEAST_LARGE else f"<{kind.__name__}>"
    if isinstance(value, str | bytes | bytearray):
        return f"<{kind.__name__} of {len(value)}>"
    if isinstance(value, type):
        return value.__name__
    if depth == 0:
        return ELLIPSIS
    inner = depth - 1
    if isinstance(value, Mapping):
        shown = [
            f"{_key(key, names)}: {shape(item, (), inner)}"
            for key, item in islice(value.items(), MOST_ITEMS)
        ]
        return "{" + ", ".join(shown + _more(value)) + "}"
    if is_dataclass(value):
        shown = [
            f"{field.name}={shape(getattr(value, field.name, None), (), inner)}"
            for field in fields(value)
            if field.repr
        ]
        return f"{kind.__name__}({', '.join(shown)})"
    members = getattr(kind, "_fields", None) if isinstance(value, tuple) else None
    members = members or getattr(kind, "shown_members", None)
    if members:
        named = len(members) > 1
        shown = [
            f"{name}=" * named + shape(getattr(value, name, None), (), inner) for name in members
        ]
        return f"{kind.__name__}({', '.join(shown)})"
    if isinstance(value, list | tuple | set | frozenset | deque):
        begin, end = next(ends for container, ends in _ENDS.items() if isinstance(value, container))
        shown = [shape(item, (), inner) for item in islice(value, MOST_ITEMS)]
        return begin + ", ".join(shown + _more(value)) + end
    return f"<{kind.__name__}>"


_ENDS: Final[dict[type, tuple[str, str]]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    set: ("{", "}"),
    frozenset: ("{", "}"),
    deque: ("deque([", "])"),
}


def _key(key: Any, names: Collection[str]) -> str:
    return repr(key) if isinstance(key, str) and key in names else shape(key, (), 1)


def _more(value: Any) -> list[str]:
    return [ELLIPSIS] if len(value) > MOST_ITEMS else []


def error_text(error: BaseException, *said: Any) -> str:
    """The traceback of an error and of those behind it; see the module."""
    told = traceback.TracebackException.from_exception(error)
    without = _Words(error, said).without
    for each in _errors(told):
        if each._str:
            each._str = without(each._str)
        notes = getattr(each, "__notes__", None)
        if isinstance(notes, list):
            each.__notes__ = [without(str(note)) for note in notes]
    return "".join(told.format()).rstrip()


def sentence(text: str, *said: Any, error: BaseException | None = None) -> str:
    """The text without the words of these values, and of the error's variables."""
    return _Words(error, said).without(text)


def _errors(told: Any) -> Iterator[Any]:
    waiting, seen = [told], set()
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        waiting += [each.__cause__, each.__context__, *(getattr(each, "exceptions", None) or ())]


class _Words:
    """What these values and an error's variables hold as text is hidden, whole and by words."""

    def __init__(self, error: BaseException | None, said: Iterable[Any]) -> None:
        self._whole = True
        self._texts: set[str] = set()
        self._left = MOST_CHARACTERS
        self._look(deque((*said, *self._variables(error))))
        self._together = "\0".join(self._texts)

    def without(self, text: str) -> str:
        """The text without them."""
        if not self._whole:
            return ELLIPSIS
        lower = text.lower()
        texts = sorted((each for each in self._texts if each in lower), key=len, reverse=True)
        if texts:
            any_of = "|".join(map(re.escape, texts))
            text = re.sub(rf"(?<!\w)(?:{any_of})(?!\w)", ELLIPSIS, text, flags=re.IGNORECASE)
        return _WORD.sub(lambda found: ELLIPSIS if self._holds(found[0]) else found[0], text)

    def _holds(self, word: str) -> bool:
        if len(word) < LEAST_WORD - word.isdigit():
            return False
        word = word.lower()
        # Most words are held nowhere, which is seen at once.
        return word in self._together and bool(
            re.search(rf"(?<!\w){re.escape(word)}(?!\w)", self._together)
        )

    def _variables(self, error: BaseException | None) -> Iterator[Any]:
        """The values of the variables in the frames that the error has come through."""
        seen: set[int] = set()
        waiting = [error]
        while waiting:
            each = waiting.pop()
            if each is None or id(each) in seen:
                continue
            if len(seen) == MOST_ITEMS:
                self._whole = False
                return
            seen.add(id(each))
            waiting += [each.__cause__, each.__context__]
            if isinstance(each, BaseExceptionGroup):
                waiting += each.exceptions
            if isinstance(each, KeyError) or len(each.args) > 1:
                yield from each.args
            step: TracebackType | None = each.__traceback__
            while step is not None:
                yield from step.tb_frame.f_locals.values()
                step = step.tb_next

    def _look(self, waiting: deque[Any]) -> None:
        seen: set[int] = set()
        while waiting and self._whole:
            thing = waiting.popleft()
            if isinstance(thing, bytes | bytearray):
                thing = bytes(thing[: MOST_CHARACTERS + 1]).decode("utf-8", "ignore")
            elif isinstance(thing, _ONE_WORD) or (isinstance(thing, int) and thing >= LEAST_LARGE):
                thing = str(thing)
            if isinstance(thing, str):
                self._add(thing)
            elif id(thing) not in seen and not isinstance(thing, (*_NO_VALUES, *_APART)):
                seen.add(id(thing))
                inner = self._parts(thing)
                if len(seen) > MOST_OBJECTS or len(inner) > MOST_OBJECTS:
                    self._whole = False
                waiting.extend(inner)

    def _parts(self, thing: Any) -> list[Any]:
        for _ in range(TRIES):
            # The loop may change it meanwhile.
            with contextlib.suppress(RuntimeError):
                return list(islice(parts(thing), MOST_OBJECTS + 1))
        self._whole = False
        return []

    def _add(self, text: str) -> None:
        self._left -= len(text)
        if self._left < 0:
            self._whole = False
        elif len(text) > 1:
            self._texts.update(each.strip().lower() for each in (text, repr(text)[1:-1]))


_ONE_WORD: Final = (Decimal, date, UUID)
"""Of these a program says the text, and they are made of nothing."""
_NO_VALUES: Final = (
    int,
    float,
    type(None),
    type,
    ModuleType,
    FunctionType,
    MethodType,
    TracebackType,
    re.Pattern,
)


def parts(thing: Any) -> Iterable[Any]:
    """What a value is made of: items, keys and members, those in slots too."""
    kind = type(thing)
    if isinstance(thing, list | tuple | set | frozenset | deque):
        yield from thing
    elif isinstance(thing, dict):
        for key, value in thing.items():
            yield key
            yield value
    if kind in _PLAIN:
        return
    yield getattr(thing, "__dict__", None)
    for base in kind.__mro__:
        slots = base.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            member = base.__dict__.get(name)
            if isinstance(member, MemberDescriptorType):
                with contextlib.suppress(AttributeError):
                    yield member.__get__(thing)


_PLAIN: Final = frozenset({list, tuple, set, frozenset, deque, dict})
