"""What a stranger has sent begins no line of the log, and orders nothing of who reads it."""

from __future__ import annotations

import logging
import os

import pytest
import structlog

from aybiza.config import logs

FORGED = "2026-01-01 [error] the node is open"
SENT = [f"x\n{FORGED}", f"x\r{FORGED}", f"x\r\n{FORGED}", f"x\x0b{FORGED}", f"x\u2028{FORGED}"]
ORDERS = ["\x1b[2J", "\x1b]0;title\x07", "\x08\x08", "\x00", "\x9b2J", "\x7f", "\u202e"]


def lines_of(form: logs.Format, sent: str) -> str:
    """What the log holds when it is told this, in all the ways in which it may be."""
    reading, writing = os.pipe()
    logs.start("debug", form, writing)
    log = structlog.get_logger("aybiza.test")
    log.info("call", call_id=sent, bare=sent.replace(" ", ""), deep={sent: [sent]})
    log.info(sent)
    log.info("call", **{sent: 1})
    logging.getLogger("library").warning("refused %s", sent)
    logs.stop()
    os.close(writing)
    with os.fdopen(reading, "rb") as reader:
        return reader.read().decode()


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize("sent", SENT, ids=ascii)
def test_no_line_is_a_strangers(form: logs.Format, sent: str) -> None:
    written = lines_of(form, sent)
    assert FORGED in written
    lines = written.splitlines()
    assert len(lines) == 4
    assert not any(line.startswith(FORGED) for line in lines)


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize("sent", ORDERS, ids=ascii)
def test_a_terminal_is_ordered_nothing(form: logs.Format, sent: str) -> None:
    written = lines_of(form, f"a{sent}b")
    assert all(character.isprintable() or character == "\n" for character in written)


def test_a_traceback_has_lines_and_orders_nothing() -> None:
    reading, writing = os.pipe()
    logs.start("debug", "console", writing)
    try:
        raise ValueError("a\x1b[2Jb")
    except ValueError:
        structlog.get_logger("aybiza.test").exception("broken")
    logs.stop()
    os.close(writing)
    with os.fdopen(reading, "rb") as reader:
        written = reader.read().decode()
    assert "\x1b" not in written and "ValueError: a\\x1b[2Jb\n" in written
