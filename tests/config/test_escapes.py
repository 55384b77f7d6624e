"""What a terminal takes for a command stands in JSON as something else, and means the same."""

from __future__ import annotations

import json
import unicodedata

from aybiza.config.escapes import json_text


def test_every_control_and_every_turn_of_a_line_is_escaped_and_comes_back() -> None:
    signs = map(chr, range(0x10000))
    odd = "".join(each for each in signs if unicodedata.category(each) in ("Cc", "Zl", "Zp"))
    odd += "\u200e\u200f\u202a\u202e\u2066\u2069\u061c\ufeff"
    text = json_text({"x": odd, "é": "ö 😀"}, 2)
    assert json.loads(text) == {"x": odd, "é": "ö 😀"}
    assert all(each.isprintable() or each == "\n" for each in text)
    assert "ö 😀" in text
