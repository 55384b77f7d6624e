"""Values that stand in shipped files and guides where a secret belongs: nobody's secret.

Contract: `is_placeholder` is pure. Settings and the cookie's file refuse such a value by name.
Errors: none.
"""

import re
from typing import Final

_PLACEHOLDER: Final = re.compile(
    r"(?:please[-_ ]?)?(?:set|change|replace|fill)[-_ ]?(?:me|this|it)(?:\b|[-_]).*"
    r"|placeholder.*|<.*>|\$\{.*\}|x{4,}|todo",
    re.IGNORECASE | re.DOTALL,
)


def is_placeholder(value: str) -> bool:
    """Whether this stands for a secret that is still to be set.

    >>> is_placeholder("set-me"), is_placeholder("set-me-to-the-output-of-openssl-rand-hex-32")
    (True, True)
    >>> is_placeholder("c2V0LW1l")
    False
    """
    return _PLACEHOLDER.fullmatch(value.strip()) is not None
