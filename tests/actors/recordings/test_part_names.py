"""Names of recordings: what they say, and what is none."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from aybiza.actors.recordings.part_names import began, call_name, expires
from tests.cases import each


@given(st.text(min_size=1, max_size=300), st.text(min_size=1, max_size=300))
def test_no_two_calls_have_the_same_name_and_each_fits_a_file(one: str, other: str) -> None:
    names = [call_name(each.encode("utf-8", "replace").decode()) for each in (one, other)]
    same = one.encode("utf-8", "replace") == other.encode("utf-8", "replace")
    assert (names[0] == names[1]) == same
    assert all(not set("./*?[") & set(name) and len(name) <= 180 for name in names)


def test_a_name_says_when_it_began_and_when_it_goes() -> None:
    path = Path("CA1.1000000.5000.wav")
    assert (began(path), expires(path)) == (1_000_000, 5_000)
    assert expires(Path("CA1.1000000.0.sealed")) == 0


@each(["CA1.wav", "CA1.x.0.wav", "CA1.1.x.wav", "CA1.1.0.mp3", "notes", "CA1.1.0.2.wav"])
def test_what_is_no_recording_is_none(name: str) -> None:
    assert expires(Path(name)) == -1
