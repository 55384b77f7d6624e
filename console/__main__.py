"""`python -m console` is `aybiza`."""

from console.cli import main

main()
