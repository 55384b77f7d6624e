"""A log line never makes its caller wait, never raises, never shows a secret."""

import json
import logging
import os
import select
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from aybiza.config import logs
from aybiza.config.logs import LogWriter, Renderer


class Unprintable:
    """A value that cannot be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("no")


class Output:
    """A file that logs go to, read back line by line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text().splitlines()]


@pytest.fixture
def output(tmp_path: Path) -> Iterator[Output]:
    """A file for the log; puts back the logging that was in force before."""
    root = logging.getLogger()
    handlers, level, configuration = root.handlers[:], root.level, structlog.get_config()
    out = Output(tmp_path / "log")
    yield out
    logs.stop()
    os.close(out.fd)
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**configuration)


def test_a_line_is_one_json_object_with_time_level_event_and_logger(output: Output) -> None:
    logs.start(fd=output.fd)
    structlog.get_logger("aybiza.gateway.http").info("call_started", call="CA1", text="two\nlines")
    logs.stop()
    (event,) = output.events()
    assert event.pop("time")[-5:] != "00:00"
    assert event == {
        "level": "info",
        "event": "call_started",
        "logger": "aybiza.gateway.http",
        "call": "CA1",
        "text": "two\nlines",
    }


def test_the_time_is_utc_with_milliseconds(output: Output) -> None:
    logs.start(fd=output.fd)
    structlog.get_logger("x").info("now")
    logs.stop()
    time = output.events()[0]["time"]
    assert (len(time), time[10], time[19], time[-1]) == (24, "T", ".", "Z")


def test_what_is_below_the_level_is_not_written(output: Output) -> None:
    logs.start("warning", fd=output.fd)
    log = structlog.get_logger("x")
    log.debug("a")
    log.info("b")
    log.warning("c")
    log.error("d")
    logs.stop()
    assert [event["event"] for event in output.events()] == ["c", "d"]


def test_the_console_form_is_for_people_and_has_no_colours_in_a_file(output: Output) -> None:
    logs.start(form="console", fd=output.fd)
    structlog.get_logger("x").info("call_started", call="CA1")
    logs.stop()
    assert "call_started" in output.text()
    assert "call=CA1" in output.text()
    assert "\x1b" not in output.text()


@pytest.mark.parametrize("form", ["json", "console"])
def test_an_exception_is_written_with_its_traceback_and_without_local_values(
    output: Output, form: logs.Format
) -> None:
    logs.start(form=form, fd=output.fd)
    hidden = "hunter" + "2"
    try:
        raise ValueError("broken")
    except ValueError:
        structlog.get_logger("x").exception("failed")
    logs.stop()
    assert "ValueError: broken" in output.text()
    assert "Traceback" in output.text()
    assert hidden not in output.text()


@pytest.mark.parametrize("form", ["json", "console"])
def test_secrets_are_hidden(output: Output, form: logs.Format) -> None:
    logs.start(form=form, fd=output.fd)
    log = structlog.get_logger("x")
    log.info("a", api_key="hunter2", headers={"Authorization": "hunter2"}, first_token_ms=7)
    log.info("b", url="redis://user:hunter2@host", odd=Unprintable(), password="hunter2")
    logs.stop()
    assert "hunter2" not in output.text()
    assert "first_token_ms" in output.text()


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize(
    "value", [Unprintable(), {1: Unprintable()}, {(1, 2): "x"}, "\ud800", b"\xff", float("nan")]
)
def test_a_value_that_cannot_be_shown_does_not_hurt_the_caller(
    output: Output, form: logs.Format, value: object
) -> None:
    logs.start(form=form, fd=output.fd)
    log = structlog.get_logger("x")
    log.info("odd", value=value)
    log.info("next")
    logs.stop()
    assert "odd" in output.text()
    assert "next" in output.text()


def test_lines_of_other_libraries_join_in_from_warning_upwards(output: Output) -> None:
    logs.start("debug", fd=output.fd)
    library = logging.getLogger("some.library")
    library.debug("request with %s", "key")
    library.info("hello")
    library.warning("low on %s", "space")
    library.warning("wrong %s %s", "format")
    library.log(35, "between two levels")
    logs.stop()
    assert [(event["level"], event["event"]) for event in output.events()] == [
        ("warning", "low on space"),
        ("warning", "wrong %s %s"),
        ("warning", "between two levels"),
    ]
    assert output.events()[0]["logger"] == "some.library"


def test_stop_writes_out_what_waits(output: Output) -> None:
    writer = logs.start(fd=output.fd)
    log = structlog.get_logger("x")
    for number in range(3_000):
        log.info("line", number=number)
    logs.stop()
    assert [event["number"] for event in output.events()] == list(range(3_000))
    assert writer.statistics() == logs.LogStatistics(written=3_000, dropped=0, queued=0)


def test_a_second_start_takes_the_place_of_the_first(output: Output) -> None:
    first = logs.start(fd=output.fd)
    log = structlog.get_logger("x")
    log.info("one")
    second = logs.start(fd=output.fd)
    log.info("two")
    logs.stop()
    assert [event["event"] for event in output.events()] == ["one", "two"]
    assert (first.statistics().written, second.statistics().written) == (1, 1)


def test_after_stop_a_line_is_dropped_and_counted(output: Output) -> None:
    writer = logs.start(fd=output.fd)
    logs.stop()
    structlog.get_logger("x").info("late")
    logs.stop()
    assert output.text() == ""
    assert writer.statistics().dropped == 1


def test_a_reader_that_stands_still_costs_lines_not_time() -> None:
    reader, fd = os.pipe()
    writer = LogWriter(fd, Renderer("json"), capacity=10)
    big = json.dumps({"event": "x" * 100_000})
    writer.write(big)
    assert select.select([reader], [], [], 10)[0], "the first line is on its way, and stuck"
    for _ in range(50):
        writer.write(big)
    assert writer.statistics() == logs.LogStatistics(written=0, dropped=40, queued=10)
    received: list[bytes] = []

    def drain() -> None:
        while chunk := os.read(reader, 65_536):
            received.append(chunk)

    thread = threading.Thread(target=drain)
    thread.start()
    writer.stop(10)
    os.close(fd)
    thread.join(10)
    os.close(reader)
    events = [json.loads(line) for line in b"".join(received).splitlines()]
    assert sum(event["event"].startswith("xxx") for event in events) == 11
    (report,) = [event for event in events if event["event"] == "log_lines_dropped"]
    assert (report["count"], report["level"], report["logger"]) == (
        40,
        "warning",
        "aybiza.config.logs",
    )


def test_stop_gives_up_on_a_reader_that_stands_still() -> None:
    reader, fd = os.pipe()
    writer = LogWriter(fd, Renderer("json"))
    writer.write("x" * 1_000_000)
    writer.stop(0.05)
    assert writer.statistics().written == 0
    received = 0
    while received < 1_000_001:
        received += len(os.read(reader, 65_536))
    os.close(fd)
    os.close(reader)


def test_a_descriptor_that_is_not_writable_costs_lines_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.touch()
    fd = os.open(path, os.O_RDONLY)
    writer = LogWriter(fd, Renderer("json"))
    writer.write("one")
    writer.stop(10)
    os.close(fd)
    assert writer.statistics().written == 0
    assert writer.statistics().dropped >= 1


def test_a_slow_reader_of_a_non_blocking_pipe_gets_every_line() -> None:
    reader, fd = os.pipe()
    os.set_blocking(fd, False)
    writer = LogWriter(fd, Renderer("json"))
    for number in range(4):
        writer.write(str(number) * 50_000)
    received = b""
    while len(received) < 4 * 50_001:
        received += os.read(reader, 65_536)
    writer.stop(10)
    os.close(fd)
    os.close(reader)
    assert received == b"".join(str(number).encode() * 50_000 + b"\n" for number in range(4))


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_goes_on_logging(output: Output) -> None:
    logs.start(fd=output.fd)
    log = structlog.get_logger("x")
    log.info("parent")
    child = os.fork()
    if child == 0:
        log.info("child")
        logs.stop()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    logs.stop()
    assert sorted(event["event"] for event in output.events()) == ["child", "parent"]


def test_many_threads_may_log_at_once(output: Output) -> None:
    logs.start(fd=output.fd)
    log = structlog.get_logger("x")

    def work(name: int) -> None:
        for number in range(200):
            log.info("line", name=name, number=number)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    logs.stop()
    events = output.events()
    assert len(events) == 800
    for name in range(4):
        assert [e["number"] for e in events if e["name"] == name] == list(range(200))


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize("code", [0x7F, 0x80, 0x85, 0x9B, 0x2028, 0x2029, 0x202E, 0x2066, 0x061C])
def test_what_a_terminal_takes_for_a_command_is_escaped_wherever_it_stands(
    output: Output, form: logs.Format, code: int
) -> None:
    logs.start(form=form, fd=output.fd)
    text = f"a{chr(code)}b"
    structlog.get_logger("x").info(text, value=text, inner={text: [text]})
    logging.getLogger("library").warning(text)
    logs.stop()
    assert chr(code) not in output.text()
    assert f"a\\u{code:04x}b" in output.text()
    if form == "json":
        assert json.loads(output.text().splitlines()[0])["value"] == text
