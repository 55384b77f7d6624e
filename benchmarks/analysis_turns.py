"""What the analysis of calls costs their turns: two nodes, with all of it and with none.

    python -m aybiza.benchmarks.analysis_turns --pairs 6

The rounds alternate (`aybiza.benchmarks.compared`). Each node has providers of its own, and no call
while the other is asked.

Errors: what `aybiza.benchmarks.turn` raises.
"""

from __future__ import annotations

import argparse
import asyncio
from typing import Final

from aybiza.benchmarks.compared import Compared
from aybiza.benchmarks.turn import bench

CALLS: Final = 4
TURNS: Final = 6

ALL: Final = """
[analysis]
summary = true
summary_prompt = "Sum the call up in two sentences."
sentiment = true
data = { type = "object", properties = { topic = { type = "string" } } }
intents = { hours = ["open", "hours"], booking = ["appointment"], bill = ["bill", "invoice"] }
offers = [
    { when = "unhappy", offer = "to put the caller through to a person" },
    { when = "repeats", offer = "to write the answer down and send it" },
]
"""
"""Everything that an agent's file can ask of the analysis."""


async def compare(pairs: int = 4, calls: int = CALLS, turns: int = TURNS) -> Compared:
    """So many rounds of each kind, one behind the other."""
    compared = Compared()
    with bench() as plain, bench(ALL) as analysed:
        # What a node does once, it has done then.
        await plain.round(1, 1)
        await analysed.round(1, 1)
        for _ in range(pairs):
            compared.without.append((await plain.round(calls, turns)).total)
            compared.beside.append((await analysed.round(calls, turns)).total)
    return compared


if __name__ == "__main__":
    asked = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    asked.add_argument("--pairs", type=int, default=4, help="rounds of each kind")
    asked.add_argument("--calls", type=int, default=CALLS, help="calls at a time")
    print(asyncio.run(compare(**vars(asked.parse_args()))).line("analysis"))
