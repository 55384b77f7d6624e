"""What a node is called and where it keeps what it knows."""

from pathlib import Path

import pytest

from aybiza.config.settings import SettingsError, load


def test_the_memory_stands_in_the_state_folder_unless_named() -> None:
    settings = load({"XDG_STATE_HOME": "/var/state"})
    assert settings.memory_path == Path("/var/state/aybiza/memory.sqlite3")
    named = load({"XDG_STATE_HOME": "/var/state", "AYBIZA_MEMORY_PATH": "~/calls.db"})
    assert named.memory_path == Path.home() / "calls.db"


def test_a_process_without_a_home_still_has_a_state_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("os.path.expanduser", str)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    assert load({}).state_home == tmp_path


@pytest.mark.parametrize(
    ("name", "node"), [("desk-7.example.org", "desk-7"), ("büro", "b-ro"), ("...", "node")]
)
def test_the_node_is_called_like_the_machine(
    monkeypatch: pytest.MonkeyPatch, name: str, node: str
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: name)
    assert load({}).node_name == node


def test_a_certificate_of_the_cluster_is_set_whole_or_not_at_all() -> None:
    with pytest.raises(SettingsError, match="set all of them or none"):
        load({"AYBIZA_CLUSTER_CERTIFICATE": "/x/node.pem"})
