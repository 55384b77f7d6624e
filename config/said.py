"""What was said is not shown: the shape of a value, and an error without the words it was given.

    shape({"owner": "anna", "turn": 3})         "{<str of 5>: <str of 4>, <str of 4>: 3}"
    error_text(error, state, message)           its traceback, with `…` for what these hold

A state, a message and an error may hold what a caller has said or keyed in, a name, a number. Who
reads a log needs to know where something broke and what kind of value was there, not the words. So
a text is shown by its length, and an error's sentence loses every word that the values at hand
hold: those of its frames' variables, and those that are handed in. Program text (types, fields,
lines of source) stays. A class of the program's own may name its members in `shown_members`.

Contract: for threads; bounded in what it looks at; never raises for any value. Errors: none.
"""

import contextlib
import enum
import re
import traceback
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from itertools import islice
from types import FunctionType, MemberDescriptorType, MethodType, ModuleType, TracebackType
from typing import Any, Final

MOST_OBJECTS: Final = 2000
"""Values that are looked into for words, of one error."""
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
    hidden = _pattern(_words((*said, *_variables(error))))
    for each in _errors(told):
        if each._str:
            each._str = hidden.sub(ELLIPSIS, each._str)
        notes = getattr(each, "__notes__", None)
        if isinstance(notes, list):
            each.__notes__ = [hidden.sub(ELLIPSIS, str(note)) for note in notes]
    return "".join(told.format()).rstrip()


def sentence(text: str, *said: Any, error: BaseException | None = None) -> str:
    """The text without the words of these values, and of the error's variables."""
    variables = () if error is None else _variables(error)
    return _pattern(_words((*said, *variables))).sub(ELLIPSIS, text)


def _errors(told: Any) -> Iterator[Any]:
    waiting, seen = [told], set()
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        waiting += [each.__cause__, each.__context__, *(getattr(each, "exceptions", None) or ())]


def _variables(error: BaseException) -> list[Any]:
    """The values of the variables in the frames that the error has come through."""
    found: list[Any] = []
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting and len(seen) < MOST_ITEMS:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        waiting += [each.__cause__, each.__context__]
        if isinstance(each, BaseExceptionGroup):
            waiting += each.exceptions
        if isinstance(each, KeyError) or len(each.args) > 1:
            found += each.args
        step: TracebackType | None = each.__traceback__
        while step is not None:
            found += step.tb_frame.f_locals.values()
            step = step.tb_next
    return found


def _words(things: Iterable[Any]) -> set[str]:
    """The texts that these values hold, whole and by words."""
    found: set[str] = set()
    seen: set[int] = set()
    waiting = deque(things)
    for _ in range(MOST_OBJECTS):
        if not waiting:
            break
        thing = waiting.popleft()
        if isinstance(thing, bytes | bytearray):
            thing = bytes(thing[:10_000]).decode("utf-8", "ignore")
        if isinstance(thing, str):
            found.update(_texts(thing[:10_000]))
        elif id(thing) not in seen and not isinstance(thing, (*_NO_VALUES, *_APART)):
            seen.add(id(thing))
            # The loop may change it meanwhile.
            with contextlib.suppress(Exception):
                waiting.extend(islice(parts(thing), MOST_OBJECTS))
    return found


def _texts(text: str) -> Iterator[str]:
    if len(text.strip()) > 1:
        yield text.strip()
        yield repr(text)[1:-1]
    for word in _WORD.findall(text):
        if len(word) >= LEAST_WORD - word.isdigit():
            yield word


def _pattern(words: set[str]) -> re.Pattern[str]:
    if not words:
        return re.compile(r"(?!)")
    longest_first = sorted(words, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE)


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
