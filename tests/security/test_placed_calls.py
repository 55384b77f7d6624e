"""Who may have calls placed gets nobody called who must not be, and holds nothing up for others."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from aybiza.config.outbound import OutboundError, load_rules
from aybiza.config.phone_numbers import NumberError, called
from aybiza.dialogue.outbound import dialler as module
from aybiza.dialogue.outbound.dialler import CampaignAsked, Place, Refused, Ticked
from aybiza.dialogue.outbound.ledger import Begun, Halted, Ledger
from aybiza.dialogue.outbound.permission import Asked, Standing, held_back
from tests.cases import each
from tests.dialogue.outbound.test_dialler import LOOSE, OURS, PEOPLE, Desk, Plan


@each(["+1 900 555 1234", "+44 909 879 0123", "+979 123456789", "+44 870 123 4567", "+4476661234"])
def test_a_number_at_which_somebody_earns_is_not_called(number: str) -> None:
    with pytest.raises(NumberError):
        called(number)


@each(["+112", "+1 911", "+49 110", "+44 999", "911", "+1 911 0000000"])
def test_nobody_has_an_emergency_number_called(number: str) -> None:
    with pytest.raises(NumberError):
        called(number)


@each(
    [
        *("+14155552671", "+1 (415) 555-2671", "+1 1 415 555 2671", "+14155552671;ext=7"),
        *("\u200e+1\u00a0415\u2011555\u20112671", "+14155552671x5", "+١٤١٥٥٥٥٢٦٧١"),
    ]
)
def test_a_number_is_one_however_it_is_written(number: str) -> None:
    assert called(number).number == "+14155552671"


@each(
    [
        ("+49 (0)30 12345678", "+493012345678"),
        ("+44 0 20 7946 0958", "+442079460958"),
        ("+7 8 495 123 45 67", "+74951234567"),
        ("+52 1 222 123 4567", "+522221234567"),
        ("+54 11 2345 6789", "+5491123456789"),
        ("+39 6 12345678", "+390612345678"),
    ]
)
def test_who_is_on_the_list_in_another_form_is_not_called(listed: str, dialled: str) -> None:
    number = called(dialled)
    plain = "+" + "".join(filter(str.isdecimal, listed))
    standing = Standing((OURS,), frozenset((number.number,)), frozenset((plain,)), Plan())
    held = held_back(Asked(number, OURS), standing, (), 1_000_000.0)
    assert held is not None and held.reason == "do_not_call"


def test_a_list_without_an_end_is_no_list(tmp_path: Path) -> None:
    rules = 'own_numbers = ["+14155550100"]\nopt_in = "/dev/zero"\ndo_not_call = "/dev/zero"\n'
    (tmp_path / "outbound.toml").write_text(rules)
    with pytest.raises(OutboundError, match="/dev/zero: is no file"):
        load_rules(tmp_path / "outbound.toml")


def campaign(name: str, numbers: int = 1) -> CampaignAsked:
    spec = {"numbers": numbers}
    return CampaignAsked(name, "clinic", OURS, Plan(limits=LOOSE), PEOPLE[:numbers], spec)


def test_so_many_campaigns_run_and_one_more_is_refused_in_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST_RUNNING", 2)
    monkeypatch.setattr(module, "MOST_WAITING", 10)
    desk = Desk()
    desk.tell(campaign("a"))
    desk.tell(campaign("b"))
    (refused,) = desk.tell(campaign("c"))
    assert isinstance(refused, Refused)
    assert "2 campaigns run" in refused.held.words
    assert list(desk.dialler.campaigns) == ["a", "b"]
    assert not [one for one in desk.kept if isinstance(one, Begun) and one.name == "c"]
    # One that runs may be changed, and may not have more numbers than there is room for.
    assert not [one for one in desk.tell(campaign("b", 8)) if isinstance(one, Refused)]
    desk.tell(campaign("a", 2))
    (refused,) = desk.tell(campaign("a", 3))
    assert isinstance(refused, Refused) and "8 numbers" in refused.held.words


def test_a_request_that_is_repeated_writes_nothing() -> None:
    desk = Desk()
    desk.tell(campaign("a"))
    kept = len(desk.kept)
    for _ in range(100):
        assert desk.tell(campaign("a")) == []
    assert len(desk.kept) == kept


def test_a_campaign_of_many_people_holds_no_other_up() -> None:
    desk = Desk(limits=LOOSE.model_copy(update={"calls_a_second": 1.0}))
    desk.tell(campaign("first", 8))
    desk.tell(campaign("second", 8))
    by: Counter[str] = Counter()
    for _ in range(8):
        desk.now += 1.0
        told = desk.tell(Ticked())
        by.update(one.attempt.campaign for one in told if isinstance(one, Place))
    assert by == {"first": 4, "second": 4}


def test_a_campaign_that_is_over_takes_no_room() -> None:
    numbers = [f"+1415555{n:04}" for n in range(1_000)]
    ledger = Ledger.of([Begun("c", 0.0, {"numbers": numbers}), Halted("c", 1.0, "done")])
    assert (ledger.campaigns["c"].numbers, ledger.campaigns["c"].begun.spec) == (1_000, {})
