"""What the agent offers of its own accord, and when."""

from __future__ import annotations

from aybiza.config.analysis import Offer
from aybiza.dialogue.offers import AGAIN_TURNS, offer
from tests.cases import each

PERSON = Offer(when="unhappy", after=2, offer="a person")
SPELL = Offer(when="repeats", offer="to spell it")
SAME = "My number is four one five."


@each(
    [
        ([], ["Hello."], [None], ""),
        ([PERSON], ["a", "b", "c"], [-60, -60, None], "a person"),
        ([PERSON], ["a", "b", "c", "d"], [-60, -60, -60, None], ""),
        ([PERSON], ["a", "b", "c"], [-60, None, None], ""),
        ([PERSON], ["a", "b", "c", "d"], [-60, 20, -60, None], ""),
        ([SPELL], [SAME, "No, my number is four one five!"], [None, None], "to spell it"),
        ([SPELL], [SAME, SAME, SAME], [None] * 3, ""),
        ([SPELL], ["Yes, please.", "Yes, please."], [None] * 2, ""),
        ([SPELL], [SAME, "What are your hours today?"], [None] * 2, ""),
        ([PERSON, SPELL], ["x", SAME, SAME], [-60, -60, None], "a person"),
    ]
)
def test_an_offer_is_made_when_its_rule_begins_to_hold(
    offers: list[Offer], said: list[str], moods: list[int | None], expected: str
) -> None:
    assert offer(offers, said, moods) == expected


def test_it_is_made_again_after_many_turns() -> None:
    said = [SAME, SAME, *(f"A{n} b{n} c{n} d{n}" for n in range(AGAIN_TURNS))]
    again = [*said, "Quite new words now, friend.", "Quite new words now, friend."]
    moods: list[int | None] = [None] * len(again)
    assert offer([SPELL], again, moods) == "to spell it"
