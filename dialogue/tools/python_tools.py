"""Tools of one's own in Python: a file beside the tools' file, which names it.

    [python.tea]
    file = "tea_tools.py"        # has TOOLS, a list of `aybiza.dialogue.tool_registry.Tool`

The file is run once, when the tools are loaded, and may do whatever the node may. What it imports
has to be found as for any other program.

Errors: `ValueError` for a file that cannot be run or has no such list, with the file's own error.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from aybiza.dialogue.tool_registry import Tool


def python_tools(path: Path, name: str, attribute: str = "TOOLS") -> list[Tool]:
    """The tools of a file; `name` is that of its table. Reads and runs it. Raises ValueError."""
    spec = importlib.util.spec_from_file_location(f"aybiza_tools_{name}", path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path.name} is no Python file")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as fault:  # of the file's own code
        raise ValueError(f"{path.name} cannot be run: {type(fault).__name__}: {fault}") from fault
    found = getattr(module, attribute, None)
    if not isinstance(found, list | tuple) or not all(isinstance(each, Tool) for each in found):
        raise ValueError(f"{path.name} has no list of tools named {attribute}")
    return list(found)
