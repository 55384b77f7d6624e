"""What `aybiza run` makes of its options for the cluster."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from structlog.testing import capture_logs

from aybiza.config.settings import Settings, load
from aybiza.console.machine import (
    MachineError,
    certificate_of,
    cookie_of,
    count,
    plans,
    seeds_of,
    shared_doors,
)


def test_one_node_has_the_name_and_the_ports_of_the_settings() -> None:
    [plan] = plans(load({"AYBIZA_NODE_NAME": "front"}), "1")
    assert (plan.name, dict(plan.environment)) == ("front", {"AYBIZA_NODE_NAME": "front"})


def test_several_nodes_have_names_and_ports_of_their_own() -> None:
    planned = plans(load({"AYBIZA_NODE_NAME": "n", "AYBIZA_MEDIA_PORT": "0"}), "3")
    assert [plan.name for plan in planned] == ["n-1", "n-2", "n-3"]
    assert [plan.environment["AYBIZA_HTTP_PORT"] for plan in planned] == ["3000", "3001", "3002"]
    assert all("AYBIZA_MEDIA_PORT" not in plan.environment for plan in planned)


def test_nodes_that_share_doors_have_their_own_behind_these() -> None:
    settings = load({"AYBIZA_NODE_NAME": "n", "AYBIZA_BIND": "127.0.0.2"})
    planned = plans(settings, "2", shares=True)
    ports = [
        (plan.environment["AYBIZA_HTTP_PORT"], plan.environment["AYBIZA_MEDIA_PORT"])
        for plan in planned
    ]
    assert ports == [("3001", "8081"), ("3002", "8082")]
    assert [plan.name for plan in plans(settings, "1", shares=True)] == ["n-1"]
    assert shared_doors(settings) == {"http": ("127.0.0.2", 3000), "media": ("127.0.0.2", 8080)}


def test_one_call_nodes_come_behind_those_that_share_doors() -> None:
    settings = load({"AYBIZA_ISOLATION": "process", "AYBIZA_ISOLATED_CALLS": "1"})
    read = [load(plan.environment) for plan in plans(settings, "2", shares=True)]
    assert [each.media_port for each in read] == [8081, 8082, 8083]


def test_asterisk_finds_each_node_at_a_port_of_its_own() -> None:
    planned = plans(load({"AYBIZA_AUDIOSOCKET_PORT": "9092"}), "2")
    assert [plan.environment["AYBIZA_AUDIOSOCKET_PORT"] for plan in planned] == ["9092", "9093"]
    closed = plans(load({}), "2")
    assert all("AYBIZA_AUDIOSOCKET_PORT" not in plan.environment for plan in closed)


def test_auto_is_a_node_a_core() -> None:
    assert count("auto") == len(os.sched_getaffinity(0))


@pytest.mark.parametrize("nodes", ["0", "-1", "65", "many", "", "1.5"])
def test_another_number_of_nodes_is_refused(nodes: str) -> None:
    with pytest.raises(MachineError, match="must be a number from 1 to 64, or auto"):
        count(nodes)


def test_machines_to_join_are_names_with_ports() -> None:
    settings = load({"AYBIZA_JOIN": "localhost:1900, 10.0.0.2:1901"})
    assert seeds_of(settings) == [("localhost", 1900), ("10.0.0.2", 1901)]


def test_a_name_that_does_not_resolve_yet_is_left_to_the_nodes() -> None:
    assert seeds_of(load({"AYBIZA_JOIN": "nowhere.invalid:1900"})) == [("nowhere.invalid", 1900)]


def test_a_cookie_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cookie"
    path.write_text("a cookie for everybody")
    path.chmod(0o644)
    settings = load({"AYBIZA_COOKIE_FILE": str(path)})
    with pytest.raises(MachineError, match="is open to others"):
        cookie_of(settings)
    path.unlink()
    assert cookie_of(settings) == path.read_bytes().strip()


def test_with_isolation_one_call_nodes_follow_with_doors_of_their_own() -> None:
    settings = {
        "AYBIZA_NODE_NAME": "n",
        "AYBIZA_ISOLATION": "process",
        "AYBIZA_ISOLATED_CALLS": "2",
        "AYBIZA_PUBLIC_URL": "https://phone.example.org",
    }
    planned = plans(load(settings), "2")
    assert [plan.name for plan in planned] == ["n-1", "n-2", "n-call-1", "n-call-2"]
    assert [plan.renews for plan in planned] == [False, False, True, True]
    read = [load({**settings, **plan.environment}) for plan in planned]
    assert [each.media_port for each in read] == [8080, 8081, 8082, 8083]
    assert [each.isolation for each in read] == ["process", "process", "none", "none"]
    assert [each.one_call for each in read] == [False, False, True, True]
    assert read[3].max_calls == 1
    assert read[3].public_media_url == "wss://phone.example.org:8083"


def test_an_agent_may_ask_for_isolation(tmp_path: Path) -> None:
    path = tmp_path / "desk.toml"
    words = 'name = "Desk"\nsystem_prompt = "Answer."\ngreeting = "Hello."\n'
    path.write_text(f'{words}isolation = "process"\n')
    settings = load({"AYBIZA_AGENT": str(path), "AYBIZA_ISOLATED_CALLS": "1"})
    assert [plan.environment.get("AYBIZA_ISOLATION") for plan in plans(settings, "1")] == [
        "process",
        "none",
    ]
    assert len(plans(load({"AYBIZA_AGENT": "nobody"}), "1")) == 1


def with_certificate(folder: Path, shown: trustme.LeafCert, authority: trustme.CA) -> Settings:
    """Settings with this certificate for the cluster, and this authority."""
    files = [folder / name for name in ("cert.pem", "key.pem", "ca.pem")]
    shown.cert_chain_pems[0].write_to_path(files[0])
    shown.private_key_pem.write_to_path(files[1])
    authority.cert_pem.write_to_path(files[2])
    names = ("CERTIFICATE", "KEY", "AUTHORITY")
    return load(
        {f"AYBIZA_CLUSTER_{name}": str(file) for name, file in zip(names, files, strict=True)}
    )


def test_a_certificate_that_no_other_node_would_take_is_refused_at_the_start(
    tmp_path: Path,
) -> None:
    ours, theirs = trustme.CA(), trustme.CA()
    shown = ours.issue_cert("node.example")
    assert certificate_of(with_certificate(tmp_path, shown, ours), b"cookie") is not None
    with pytest.raises(MachineError, match="signed by the authority"):
        certificate_of(with_certificate(tmp_path, shown, theirs), b"cookie")


def test_a_node_whose_certificate_is_out_of_date_starts_alone_and_says_so(tmp_path: Path) -> None:
    authority = trustme.CA()
    begin, end = (datetime.now(UTC) - timedelta(days=days) for days in (3, 1))
    shown = authority.issue_cert("node.example", not_before=begin, not_after=end)
    with capture_logs() as logged:
        assert certificate_of(with_certificate(tmp_path, shown, authority), b"cookie") is not None
    assert [each["event"] for each in logged] == ["cluster_certificate_out_of_date"]
    assert logged[0]["why"] == "TLS: certificate has expired"
