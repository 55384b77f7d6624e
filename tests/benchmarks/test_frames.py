"""The guard of the frame path: what it costs is a small multiple of what a bare loop costs."""

from __future__ import annotations

from aybiza.benchmarks.frames import measured

MOST_TIMES_BARE = 6.0
"""Some 3 on a quiet machine; with a task, an event or a dict for each frame it is 8 and more."""


def test_a_frame_costs_little_more_than_to_read_and_to_write_it() -> None:
    assert measured(frames=1000).ratio < MOST_TIMES_BARE
