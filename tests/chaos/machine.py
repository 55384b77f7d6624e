"""`python -m tests.chaos.machine`: random deeds to a cluster in virtual time, until one breaks it.

Runs of `--length` steps with the seeds from `--seed` on, until `--steps` are done. Each run ends
with all players dead and nothing left over. Exit codes: 0 all held, 1 something did not (the last
lines say what, and how to replay it), 2 wrong usage.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence

from tests.actors.cluster.deeds import CHOICES, step
from tests.actors.cluster.ledger import Broken
from tests.actors.cluster.world import World


def play(
    seed: int, length: int, only: Sequence[str] = (), say: Callable[[str], None] = lambda _: None
) -> World:
    """One run; raises `Broken`."""
    dice = random.Random(seed)
    choices = [op for op in CHOICES if not only or op in only or op == "advance"]
    world = World(seed, say)
    try:
        for number in range(length):
            step(world, dice.choice(choices), *(dice.randrange(12) for _ in range(3)))
            if number % 40 == 39:
                world.settle()
        world.finish()
    finally:
        world.close()
    return world


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser("python -m tests.chaos.machine", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the first run; default 1")
    parser.add_argument("--steps", type=int, default=100_000, help="of all runs; default 100000")
    parser.add_argument("--length", type=int, default=120, help="steps of a run; default 120")
    parser.add_argument("--only", nargs="*", default=(), help="the deeds to do; default all")
    parser.add_argument("--show", action="store_true", help="print every step")
    options = parser.parse_args(arguments)
    began, steps, told = time.monotonic(), 0, Counter[str]()
    seed = options.seed
    while steps < options.steps:
        try:
            say = print if options.show else lambda _: None
            world = play(seed, options.length, options.only, say)
        except Broken as broken:
            only = f" --only {' '.join(options.only)}" if options.only else ""
            print(f"BROKEN: {broken}")
            print(
                f"replay: python -m tests.chaos.machine --seed {seed} --steps 1"
                f" --length {options.length}{only} --show"
            )
            return 1
        steps += world.steps
        told += world.ledger.told
        seed += 1
    counts = ", ".join(f"{count} {kind}" for kind, count in told.items())
    print(
        f"held: {steps} steps, seeds {options.seed} to {seed - 1},"
        f" {time.monotonic() - began:.0f} s; told: {counts}"
    )
    return 0


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":  # the order of sets belongs to the run
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "tests.chaos.machine", *sys.argv[1:]])
    sys.exit(main())
