"""Paths as people write them into files and settings.

    path.parent / path_of(table["file"])

`~` is the home of whoever runs this, `~name` somebody's; where there is none it stays as it stands,
and so do the rest. What no system takes for a path (one with a NUL) becomes one that is not there,
so that whoever opens it says which file cannot be read, as for any other.

Errors: none.
"""

from __future__ import annotations

import os
from pathlib import Path


def path_of(text: str) -> Path:
    """See the module.

    >>> path_of("agents/clinic.toml"), path_of("~nobody-of-this-name/x"), path_of("a\\0b")
    (PosixPath('agents/clinic.toml'), PosixPath('~nobody-of-this-name/x'), PosixPath('a\ufffdb'))
    """
    return Path(os.path.expanduser(text.replace("\0", "\ufffd")))
