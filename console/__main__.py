"""`python -m aybiza.console` is `aybiza`."""

from aybiza.console.entry import main

main()
