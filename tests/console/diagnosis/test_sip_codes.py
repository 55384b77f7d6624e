"""The table of final responses."""

from __future__ import annotations

from aybiza.console.diagnosis.sip_codes import CODECS_REFUSED, STATUSES


def test_every_status_has_a_meaning_and_a_cure() -> None:
    assert all(300 <= status < 700 for status in STATUSES)
    assert all(told.means and told.fix for told in STATUSES.values())
    assert set(STATUSES) >= CODECS_REFUSED | {401, 403, 404, 407, 408, 480, 486, 488, 500, 503, 603}


def test_what_belongs_to_the_life_of_a_telephone_is_no_fault() -> None:
    assert {status for status, told in STATUSES.items() if not told.fault} == {
        *(301, 302, 486, 487, 491, 600)
    }
