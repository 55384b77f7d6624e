"""What was said is compared by its letters, and noise asks for nothing."""

from aybiza.emulators.phone.report import Turn
from aybiza.faults.caller import NOISE
from aybiza.faults.spoken import asks, letters


def test_blanks_marks_and_case_make_no_difference() -> None:
    assert letters("Yes, a Table!") == letters("yes a table") == "yesatable"


def test_noise_and_keys_ask_for_no_answer() -> None:
    said = ("Hello.", NOISE, "keys 42#", "")
    assert [asks(Turn("1", text, 0.0)) for text in said] == [True, False, False, False]
