"""Which menu is open, and what keys choose from it."""

from __future__ import annotations

from aybiza.config.menus import Choice, Menu
from aybiza.dialogue.menus import Chosen, chosen, opening, said
from tests.cases import each

HOURS = Choice(say="From nine to five.")
ORDER = Choice(ask="I want to order.")
ANN = Choice(transfer="Ann")
BILLS = Choice(menu="bills")
AGAIN = Choice(repeat=True)
BACK = Choice(back=True)
TOP = Choice(menu="main")
MENUS = {
    "main": Menu(prompt="One or two?", keys={"1": HOURS, "2": ORDER, "3": BILLS, "9": AGAIN}),
    "bills": Menu(prompt="A copy?", keys={"1": ORDER, "2": ANN, "*": BACK, "0": TOP}),
}


@each(
    [
        ("main", "1", Chosen(HOURS, "main")),
        ("main", "2", Chosen(ORDER, "main")),
        ("main", "3", Chosen(BILLS, "main/bills")),
        ("main", "9", Chosen(AGAIN, "main")),
        ("main/bills", "*", Chosen(BACK, "main")),
        ("main/bills", "0", Chosen(TOP, "main")),
        ("main/bills", "2", Chosen(ANN, "main/bills")),
        # Pressed ahead of what is said.
        ("main", "32", Chosen(ANN, "main/bills")),
        ("main", "3*1", Chosen(HOURS, "main")),
        # No choice, so an entry.
        ("main", "7", None),
        ("main", "37", None),
        ("main", "21", None),
        ("main", ["my number is", "1"], None),
        ("main", "", None),
        ("", "1", None),
        ("gone", "1", None),
    ]
)
def test_keys_choose(way: str, keys: str | list[str], expected: Chosen | None) -> None:
    assert chosen(MENUS, way, list(keys)) == expected


@each(
    [
        (Chosen(HOURS, "main"), ["From nine to five."]),
        (Chosen(BILLS, "main/bills"), ["A copy?"]),
        (Chosen(BACK, "main"), ["One or two?"]),
        (Chosen(AGAIN, "main"), ["One or two?"]),
        (Chosen(ANN, "main/bills"), ["One moment."]),
        (Chosen(Choice(transfer="Ann", say="To Ann."), "main"), ["To Ann."]),
        (Chosen(Choice(menu="bills", say="Bills."), "main/bills"), ["Bills.", "A copy?"]),
    ]
)
def test_what_was_chosen_is_said(choice: Chosen, texts: list[str]) -> None:
    assert said(MENUS, choice, "One moment.") == texts


def test_the_first_menu_is_said_behind_the_greeting() -> None:
    assert (opening(MENUS), opening({})) == ("One or two?", "")
