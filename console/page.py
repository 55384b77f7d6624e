"""What commands print for people: lines of at most 80 columns.

A line that is longer goes on below, under its last column. Words are never broken: an address, an
id or a path can be copied as it stands.
"""

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager

import typer

COLUMNS = 80
_LEAST_ROOM = 24


def folded(line: str, under: int = 0) -> list[str]:
    """The line in at most 80 columns; what does not fit goes on below, `under` columns in.

    >>> print("\\n".join(folded("FAIL  network  " + "api.deepgram.com is not found. " * 3, 15)))
    FAIL  network  api.deepgram.com is not found. api.deepgram.com is not found.
                   api.deepgram.com is not found.
    """
    if len(line) <= COLUMNS:
        return [line.rstrip()]
    if under > COLUMNS - _LEAST_ROOM:
        under = 4
    head = line[:under] if line[:under].endswith(" ") else line[: len(line) - len(line.lstrip())]
    text, above = line[len(head) :], []
    if head.strip() and len(head) + len(text.split(maxsplit=1)[0]) > COLUMNS:
        above, head, under = [head.rstrip()], " " * 4, 4
    return above + textwrap.wrap(
        text,
        COLUMNS,
        initial_indent=head,
        subsequent_indent=" " * under,
        break_long_words=False,
        break_on_hyphens=False,
    )


def printable(text: str) -> str:
    """The text without what would make a terminal do something: each such character is `?`.

    >>> printable("Ann\\x1b[2J calls\\n again")
    'Ann?[2J calls? again'
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else "?" for each in text)


def counted(count: int, one: str, many: str = "") -> str:
    """So many of something; `many` where it is not told by an s.

    >>> counted(1, "call"), counted(2_000, "process"), counted(0, "entry", "entries")
    ('1 call', '2,000 processes', '0 entries')
    """
    plural = many or one + ("es" if one.endswith("s") else "s")
    return f"{count:,} {one if count == 1 else plural}"


def say(line: str, under: int = 0, *, err: bool = False) -> None:
    """Print a line for people, or several, folded; what would order a terminal about is `?`."""
    for each in line.split("\n"):
        for part in folded(printable(each), under):
            typer.echo(part, err=err)


@contextmanager
def quietly() -> Iterator[None]:
    """Log nothing: the command itself tells what goes wrong."""
    import logging

    import structlog

    before = structlog.get_config()
    wrapper = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=wrapper, cache_logger_on_first_use=False)
    try:
        yield
    finally:
        structlog.configure(**before)
