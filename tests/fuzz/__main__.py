"""`python -m tests.fuzz`: inputs of no sense for everything that decodes what others send.

Prints, for each decoder, how many inputs it was given, how fast, and each fault with the input. The
same seed gives the same inputs.

Exit codes: 0 nothing but the decoders' own errors; 1 a fault; 2 wrong usage.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Sequence
from random import Random

from tests.fuzz.decoder import SECONDS
from tests.fuzz.decoders import DECODERS

MOST_FAULTS = 5
EXAMPLE = """\
example:
  python -m tests.fuzz --inputs 1000000 --decoder wire

exit codes: 0 nothing but the decoders' own errors, 1 a fault, 2 wrong usage
"""


def fuzz(name: str, inputs: int, seed: int) -> list[str]:
    """The faults of a decoder: each an input and what came of it; it ends after a few."""
    decoder = DECODERS[name]()
    random = Random(f"{name} {seed}")
    faults: list[str] = []
    for _ in range(inputs):
        given = decoder.make(random)
        began = time.thread_time()
        try:
            decoder.decode(given)
        except decoder.errors:
            pass
        except Exception:
            faults.append(f"{given!r:.2000}\n{traceback.format_exc()}")
        taken = time.thread_time() - began
        if taken > SECONDS:
            faults.append(f"{given!r:.2000}\ntook {taken:.1f} s")
        if len(faults) == MOST_FAULTS:
            break
    return faults


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        "python -m tests.fuzz",
        description="Inputs of no sense for everything that decodes what others send.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--inputs", type=int, default=10_000, help="for each; default 10000")
    parser.add_argument("--seed", type=int, default=1, help="default 1")
    parser.add_argument("--decoder", action="append", choices=sorted(DECODERS), help="default: all")
    options = parser.parse_args(arguments)
    failed = False
    for name in options.decoder or DECODERS:
        began = time.monotonic()
        faults = fuzz(name, options.inputs, options.seed)
        rate = options.inputs / (time.monotonic() - began)
        told = f"{len(faults)} faults" if faults else f"{options.inputs} inputs, {rate:.0f}/s"
        print(f"{name:12} {told}", flush=True)
        for fault in faults:
            print(fault, flush=True)
        failed = failed or bool(faults)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
