"""`python -m aybiza.console` is `aybiza`."""

from aybiza.console.cli import main

main()
