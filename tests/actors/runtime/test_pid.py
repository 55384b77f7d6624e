"""Addresses."""

from __future__ import annotations

import pickle

from aybiza.actors.runtime import Pid, Via


def test_pid_prints_as_node_and_serial() -> None:
    assert str(Pid("front", 7)) == repr(Pid("front", 7)) == "<front.7>"


def test_the_repr_of_a_pid_tells_the_starts_of_its_node_apart() -> None:
    now, ago = Pid("front", 7, 1_700_000_000_000), Pid("front", 7, 1_699_999_999_000)
    assert str(now) == str(ago) == "<front.7>"
    assert (repr(now), repr(ago)) == ("<front.7@3v28>", "<front.7@3uag>")
    assert repr(Pid("front", 7, 36**4)) == "<front.7@0000>"


def test_pids_with_the_same_parts_are_one_address() -> None:
    assert Pid("a", 1) == Pid("a", 1)
    assert len({Pid("a", 1), Pid("a", 1), Pid("a", 2), Pid("b", 1)}) == 3


def test_addresses_survive_pickling() -> None:
    for address in (Pid("a", 1), Via("registry", ("call", "c1"))):
        assert pickle.loads(pickle.dumps(address)) == address


def test_via_has_no_value_unless_it_is_given_one() -> None:
    assert Via("registry", "key").value is None
    assert Via("registry", "key", 5).value == 5
