"""What commands print for people: lines of at most 80 columns, or of a narrower terminal's.

A line that is longer goes on below, under its last column. Words are never broken: an address, an
id or a path can be copied as it stands.
"""

import errno
import os
import select
import shutil
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager

import typer

COLUMNS = 80
NARROWEST = 20
_LEAST_ROOM = 24


def is_terminal() -> bool:
    """Whether what is printed is seen on a terminal that can be drawn on."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def width() -> int:
    """The columns of the terminal that shows what is printed; 80 where there is none."""
    if not sys.stdout.isatty():
        return COLUMNS
    return max(NARROWEST, shutil.get_terminal_size().columns)


def pause(seconds: float) -> None:
    """Wait so long; raises BrokenPipeError as soon as nobody reads any more what is printed."""
    try:
        watched = sys.stdout.fileno()
    except (OSError, ValueError):
        time.sleep(seconds)
        return
    ends = select.poll()
    # A pipe without a reader has an error whatever is asked for.
    ends.register(watched, 0)
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        for _, flags in ends.poll(1000.0 * left):
            if flags & select.POLLERR:
                raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
            time.sleep(max(0.0, until - time.monotonic()))


def folded(line: str, under: int = 0, columns: int = COLUMNS) -> list[str]:
    """The line in at most so many columns; what does not fit goes on below, `under` columns in.

    >>> print("\\n".join(folded("FAIL  network  " + "api.deepgram.com is not found. " * 3, 15)))
    FAIL  network  api.deepgram.com is not found. api.deepgram.com is not found.
                   api.deepgram.com is not found.
    """
    if len(line) <= columns:
        return [line.rstrip()]
    if under > columns - _LEAST_ROOM:
        under = 4
    head = line[:under] if line[:under].endswith(" ") else line[: len(line) - len(line.lstrip())]
    text, above = line[len(head) :], []
    if head.strip() and len(head) + len(text.split(maxsplit=1)[0]) > columns:
        above, head, under = [head.rstrip()], " " * 4, 4
    return above + textwrap.wrap(
        text,
        columns,
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
    columns = min(COLUMNS, width())
    for each in line.split("\n"):
        for part in folded(printable(each), under, columns):
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
