"""The operator's side: the command line."""

from typing import Final

USAGE_ERROR: Final = 2
"""The exit code where an option, a setting or a file that it names cannot be used."""
