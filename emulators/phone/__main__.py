"""`python -m aybiza.emulators.phone`: call a running node."""

import sys

from aybiza.emulators.phone.cli import main

if __name__ == "__main__":
    sys.exit(main())
