"""Addresses."""

from __future__ import annotations

import pickle

from aybiza.actors.runtime import Pid, Via


def test_pid_prints_as_node_and_serial() -> None:
    assert str(Pid("front", 7)) == repr(Pid("front", 7)) == "<front.7>"


def test_pids_with_the_same_parts_are_one_address() -> None:
    assert Pid("a", 1) == Pid("a", 1)
    assert len({Pid("a", 1), Pid("a", 1), Pid("a", 2), Pid("b", 1)}) == 3


def test_addresses_survive_pickling() -> None:
    for address in (Pid("a", 1), Via("registry", ("call", "c1"))):
        assert pickle.loads(pickle.dumps(address)) == address


def test_via_has_no_value_unless_it_is_given_one() -> None:
    assert Via("registry", "key").value is None
    assert Via("registry", "key", 5).value == 5
