"""How the tables of files, and the groups of the settings, are checked by pydantic.

Contract: patterns are those of Python's own `re`. The other engine that pydantic has, Rust's, takes
11 MB for the patterns of a node, most of it for those that bound a length. A pattern ends with
`\\Z`, for `$` lets a line end through.
Errors: none.
"""

from typing import Final

from pydantic import ConfigDict

TABLE: Final = ConfigDict(frozen=True, extra="forbid", strict=True, regex_engine="python-re")
"""A table whose values are of their kinds already, as `tomllib` reads them."""
LENIENT: Final = ConfigDict(frozen=True, extra="forbid", regex_engine="python-re")
"""A table whose values may be written as strings."""
GROUP: Final = ConfigDict(regex_engine="python-re", defer_build=True)
"""A group of the settings: nothing is checked by it alone, so it has no checks of its own."""
