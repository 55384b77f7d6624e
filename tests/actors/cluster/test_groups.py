"""Process groups."""

from aybiza.actors.cluster.groups import PIECE, GroupTable, Joined, Left, Members
from aybiza.actors.runtime import Pid

ONE, TWO, THERE = Pid("a", 1), Pid("a", 2), Pid("b", 1)


def pair() -> tuple[GroupTable, GroupTable]:
    a, b = GroupTable("a"), GroupTable("b")
    list(a.node_up("b"))
    list(b.node_up("a"))
    return a, b


def test_members_are_known_on_all_nodes_ones_own_first() -> None:
    a, b = pair()
    for node, message in a.join("g", ONE):
        assert (node, message) == ("b", Joined("g", ONE))
        b.receive("a", message)
    for _, message in b.join("g", THERE):
        a.receive("b", message)
    assert a.members("g") == [ONE, THERE]
    assert b.members("g") == [THERE, ONE]
    assert b.local_members("g") == [THERE]
    assert a.groups() == ["g"]


def test_who_joined_twice_leaves_twice() -> None:
    a, _ = pair()
    list(a.join("g", ONE))
    list(a.join("g", ONE))
    assert list(a.leave("g", ONE)) == [("b", Left("g", ONE))]
    assert a.members("g") == [ONE]
    list(a.leave("g", ONE))
    assert (a.members("g"), a.groups()) == ([], [])
    assert list(a.leave("g", ONE)) == []


def test_a_process_that_has_ended_is_in_no_group() -> None:
    a, b = pair()
    for group in ("g", "g", "h"):
        for _, message in a.join(group, ONE):
            b.receive("a", message)
    list(a.join("g", TWO))
    left = list(a.ended(ONE))
    assert sorted(left) == [("b", Left("g", ONE)), ("b", Left("g", ONE)), ("b", Left("h", ONE))]
    for _, message in left:
        b.receive("a", message)
    assert (a.groups(), b.groups()) == (["g"], [])
    assert list(a.ended(ONE)) == []


def test_many_memberships_are_handed_over_in_pieces() -> None:
    a, b = GroupTable("a"), GroupTable("b")
    for number in range(PIECE + 5):
        list(a.join(("g", number), ONE))
        list(a.join("all", Pid("a", number)))
    list(a.join("all", ONE))
    list(a.leave("all", TWO))
    list(b.node_up("a"))
    pieces = list(a.node_up("b"))
    assert [len(piece.memberships) for _, piece in pieces] == [PIECE, PIECE, 10]
    for _, piece in pieces:
        b.receive("a", piece)
    assert sorted(b.members("all")) == sorted(a.members("all"))
    assert set(b.groups()) == set(a.groups())


def test_a_node_that_comes_up_learns_the_members_and_one_that_goes_takes_its_own() -> None:
    a, b = GroupTable("a"), GroupTable("b")
    list(a.join("g", ONE))
    [(node, message)] = a.node_up("b")
    assert (node, message) == ("b", Members((("g", ONE),)))
    b.receive("a", message)
    assert b.members("g") == [ONE]
    b.node_down("a")
    assert b.groups() == []
