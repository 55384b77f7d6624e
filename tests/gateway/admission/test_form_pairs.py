"""A form is read as the library reads it, but for what no carrier sends, and in no time."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.gateway.admission.form_pairs import MAX_PARAMETERS, FormFault, pairs
from tests.cases import each

SIGNS = [bytes([one]) for one in b"%=&+41aFz\n\r _;.\0\xc3"]
ESCAPES = [b"%C3", b"%A9", b"%3D", b"%0A", b"%25", b"%41", b"%f0%9f%98%80", "\xe9".encode()]
PIECES = st.sampled_from([*SIGNS, *ESCAPES])
NO_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


@given(st.lists(PIECES, max_size=30).map(b"".join))
def test_it_is_what_the_library_reads_or_refused(form: bytes) -> None:
    try:
        library = parse_qsl(form.decode(), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        library = None
    try:
        assert pairs(form) == library
    except FormFault:
        assert library is None or NO_ESCAPE.search(form) or set(form) & set(b"\r\n")


@each(
    [b"a=%", b"a=%4", b"a=%zz", b"%%41=b", b"a=%=41", b"a=%\n41", b"a=\xff", b"a=%ff", b"\xc3%A9"]
)
def test_what_no_carrier_sends_is_refused_in_words(form: bytes) -> None:
    with pytest.raises(FormFault, match=r"The form (is not UTF-8|has a % that is no escape)"):
        pairs(form)


def test_a_form_has_a_bounded_number_of_parameters() -> None:
    assert len(pairs(b"&".join([b"a=1"] * MAX_PARAMETERS))) == MAX_PARAMETERS
    with pytest.raises(FormFault, match="more than 500"):
        pairs(b"&" * MAX_PARAMETERS)
