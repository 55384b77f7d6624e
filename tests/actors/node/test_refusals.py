"""Counts of refused frames that several processes share."""

import os
import subprocess
import sys
import textwrap

from aybiza.actors.node import refusals

PROGRAM = """
    import os
    from aybiza.actors.node import refusals
    refusals.add("cookie")
    assert refusals.counts() == {}
    refusals.share()
    refusals.share()
    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            for _ in range(500):
                refusals.add("cookie")
            refusals.add("unknown")
            os._exit(0)
        children.append(child)
    refusals.add("replay")
    for child in children:
        os.waitpid(child, 0)
    counts = refusals.counts()
    assert set(counts) == set(refusals.REASONS)
    assert {reason: count for reason, count in counts.items() if count} == {
        "cookie": 2000, "replay": 1}, counts
"""


def test_what_several_processes_count_at_once_adds_up() -> None:
    subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=30,
        check=True,
    )


def test_a_process_in_no_cluster_counts_nothing() -> None:
    assert set(refusals.counts()) in (set(), set(refusals.REASONS))
