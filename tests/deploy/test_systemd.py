"""The unit: systemd takes it, it gives calls their time, and its settings are a node's."""

import sys
from pathlib import Path

from aybiza.actors.node.messages import Limits
from aybiza.console.run import run as run_command
from tests.deploy.kit import environment, run, seconds, settings, text_of, tool, unit

SERVICE = unit("systemd/aybiza.service")["Service"]
ENVIRONMENT = environment(SERVICE["Environment"])


def test_systemd_finds_nothing_wrong(tmp_path: Path) -> None:
    analyze = tool("systemd-analyze")
    aybiza = Path(sys.executable).with_name("aybiza")
    assert aybiza.is_file()
    copy = tmp_path / "aybiza.service"
    text = text_of("systemd/aybiza.service")
    command = SERVICE["ExecStart"][0].split()[0]
    copy.write_text(text.replace(command, str(aybiza)))
    verified = run(analyze, "verify", "--man=no", str(copy))
    about_it = [line for line in verified.stderr.splitlines() if "aybiza" in line]
    assert about_it == [], verified.stderr


def test_no_directive_stands_twice_but_those_that_may() -> None:
    several = {key for key, values in SERVICE.items() if len(values) > 1}
    assert several == {"Environment"}


def test_a_stop_gives_the_calls_their_time() -> None:
    drain = settings(ENVIRONMENT).drain_seconds
    assert drain > 0
    assert seconds(SERVICE["TimeoutStopSec"][0]) >= drain + Limits().stop + 10


def test_systemd_takes_over_when_the_command_has_failed_and_not_when_it_cannot_start() -> None:
    assert SERVICE["Restart"] == ["on-failure"]
    assert SERVICE["RestartPreventExitStatus"] == ["2"]
    assert "2 an option or a setting" in (sys.modules[run_command.__module__].__doc__ or "")


def test_a_crash_loop_comes_to_an_end() -> None:
    section = unit("systemd/aybiza.service")["Unit"]
    restart, burst = seconds(SERVICE["RestartSec"][0]), int(section["StartLimitBurst"][0])
    assert restart * burst < seconds(section["StartLimitIntervalSec"][0])


def test_a_node_keeps_its_state_where_it_may_write() -> None:
    state = Path(ENVIRONMENT["XDG_STATE_HOME"]) / SERVICE["StateDirectory"][0]
    made = settings(ENVIRONMENT)
    assert made.memory_path.parent == state and made.cookie_file.parent == state
    assert SERVICE["ProtectSystem"] == ["strict"]


def test_the_example_of_the_environment_is_taken_by_a_node() -> None:
    example = environment(text_of("systemd/aybiza.env").splitlines())
    made = settings({**ENVIRONMENT, **example})
    assert made.public_url and made.trusted_proxies


def test_secrets_in_the_example_are_empty() -> None:
    example = environment(text_of("systemd/aybiza.env").splitlines())
    secret = [name for name in example if name.endswith(("_TOKEN", "_KEY"))]
    assert secret and all(example[name] == "" for name in secret)
