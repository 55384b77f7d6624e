"""What a terminal or a viewer of logs takes for a command, written so that it is none.

    json_text({"found": "\\x9b2J"})            JSON with each such sign escaped
    line.translate(ESCAPED)                   the same of a line that is JSON already

JSON itself escapes what is below a space. It leaves C1 controls, which some terminals take for the
beginning of a command, line ends that are none of ASCII, and what turns the direction of a line.

Pure. Errors: as `json.dumps`.
"""

from __future__ import annotations

import json
from typing import Any, Final

_COMMANDS: Final = (
    *range(0x7F, 0xA0),
    0x061C,
    *range(0x200E, 0x2010),
    *range(0x2028, 0x202F),
    *range(0x2066, 0x206A),
    0xFEFF,
    *range(0xFFF9, 0xFFFC),
)
ESCAPED: Final = {code: f"\\u{code:04x}" for code in _COMMANDS}
"""For `str.translate`, of what stands within quotes of JSON, TOML or Python."""


def json_text(value: Any, indent: int | None = None) -> str:
    """The value as JSON for people.

    >>> print(json_text({"name": "Zoë\\x9b2J\\u202e"}))
    {"name": "Zoë\\u009b2J\\u202e"}
    """
    return json.dumps(value, indent=indent, ensure_ascii=False).translate(ESCAPED)
