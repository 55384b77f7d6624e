"""Which of the declared metrics the events of a node have fed.

What is looked up when the figures are asked for, such as the calls of now, needs no feeding.
"""

from __future__ import annotations

from collections.abc import Collection

from aybiza.actors.measures.metrics_actor import MEASURED, METRICS, table
from aybiza.actors.runtime import VM


def fed(vm: VM) -> set[str]:
    """The names of the metrics that have a figure other than 0."""
    told = {
        sample.name
        for family in table(vm).registry.collect()
        for sample in family.samples
        if sample.value and not sample.name.endswith("_created")
    }
    return {name for name in METRICS if told & {name, f"{name}_total", f"{name}_count"}}


def unfed(names: Collection[str]) -> list[str]:
    """What is declared and was never fed."""
    return sorted(set(METRICS) - set(MEASURED) - set(names))
