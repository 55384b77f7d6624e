"""The switchboard: who answers a call, and what of a table stays when another is put in force."""

from __future__ import annotations

import pytest

from aybiza.actors.switchboard import MOST_GONE, Answering, Switchboard
from aybiza.config.routes import DEFAULT, Route, Routes
from aybiza.dialogue.toolbox import NoTools
from aybiza.faults.desk import agent
from tests.gateway.kit import POLICY

SALES = Route("sales", agent(name="Sales"), "Napoli", frozenset(["+14155550100"]))
OWN = Route(DEFAULT, agent(), "Desk")


def make(route: Route) -> Answering:
    return Answering(route.agent, NoTools(), POLICY, route.tenant, route.name)


def test_each_call_has_who_answers_on_its_route() -> None:
    board = Switchboard(Routes(OWN, (SALES,)), make)
    who = board.answering({"To": "+14155550100"})
    assert (who.agent.name, who.tenant, who.route) == ("Sales", "Napoli", "sales")
    assert board.answering({"To": "+14155550199"}).tenant == "Desk"
    assert [one.route for one in board] == [DEFAULT, "sales"]


def test_a_call_takes_its_route_along_where_there_are_several() -> None:
    board = Switchboard(Routes(OWN, (SALES,)), make)
    assert board.named({"To": "+14155550100"}) == {"Route": "sales"}
    assert board.named({}) == {"Route": DEFAULT}
    assert Switchboard.of_one(make(OWN)).named({}) == {}


def test_a_name_that_somebody_types_means_a_route_an_agent_or_its_file() -> None:
    first = Route(DEFAULT, agent(name="Lakeside Clinic"), "Desk", source="agents/clinic.toml")
    board = Switchboard(Routes(first, (SALES,)), make)
    for name in (DEFAULT, "lakeside clinic", "clinic", "Clinic"):
        who = board.called(name)
        assert who is not None and who.route == DEFAULT, name
    assert board.called("SALES") is board.answering({"Route": "sales"})
    assert board.called("nobody") is None
    assert Switchboard.of_one(make(OWN)).called("") is None


def test_an_unchanged_route_keeps_who_answers_on_it() -> None:
    board = Switchboard(Routes(OWN, (SALES,)), make)
    before = board.answering({"Route": "sales"})
    changed = Route(DEFAULT, agent(greeting="Other."), "Desk")
    board.put(board.made(Routes(changed, (SALES,))))
    assert board.answering({"Route": "sales"}) is before
    assert board.answering({}).agent.greeting == "Other."


def test_who_comes_back_by_a_route_that_is_gone_is_answered_as_before() -> None:
    board = Switchboard(Routes(OWN, (SALES,)), make)
    before = board.answering({"Route": "sales"})
    board.put(board.made(Routes(OWN)))
    assert board.answering({"Route": "sales"}) is before
    assert board.named({"Route": "sales"}) == {"Route": "sales"}
    assert board.answering({"To": "+14155550100"}).route == DEFAULT


def test_a_hundred_tables_in_a_row_leave_a_bounded_number_of_routes_that_are_gone() -> None:
    board = Switchboard(Routes(OWN), make)
    for number in range(100):
        renamed = Route(f"sales {number}", SALES.agent, "Napoli", SALES.numbers)
        board.put(board.made(Routes(OWN, (renamed,))))
    assert board.answering({"Route": "sales 98"}).route == "sales 98"
    assert board.answering({"Route": "sales 99"}).route == "sales 99"
    assert board.answering({"Route": "sales 48"}).route == DEFAULT
    assert len(board._gone) == MOST_GONE


def test_what_cannot_be_made_changes_nothing() -> None:
    def refuse(route: Route) -> Answering:
        if route.agent.name == "Broken":
            raise ValueError("broken on purpose")
        return make(route)

    board = Switchboard(Routes(OWN), refuse)
    with pytest.raises(ValueError, match="on purpose"):
        board.made(Routes(Route(DEFAULT, agent(name="Broken"), "Desk")))
    assert board.answering({}).agent.name == "Desk"
