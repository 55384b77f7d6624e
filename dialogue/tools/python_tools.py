"""Tools of one's own in Python: a file or a package beside the tools' file, which names it.

    [python.tea]
    file = "tea_tools.py"        # has TOOLS, a list of `aybiza.dialogue.tool_registry.Tool`

    [python.clinic]
    file = "desk"                # a folder with an `__init__.py` that has TOOLS

What is named is run once each time that tools are loaded, and may do whatever the node may. The
modules of a package import each other by relative names; what else they import has to be found as
for any other program.

Errors: `ValueError` for a file that cannot be run or has no such list, with the file's own error.
"""

from __future__ import annotations

import importlib.util
import sys
import zlib
from pathlib import Path

from aybiza.dialogue.tool_registry import Tool


def python_tools(path: Path, name: str, attribute: str = "TOOLS") -> list[Tool]:
    """The tools of a file or a package; `name` is that of its table. Reads and runs it. Raises
    ValueError."""
    file, inside = (path / "__init__.py", [str(path)]) if path.is_dir() else (path, None)
    # Two tools' files may have tables of one name.
    module_name = f"aybiza_tools_{name}_{zlib.crc32(str(path.resolve()).encode()):08x}"
    spec = importlib.util.spec_from_file_location(
        module_name, file, submodule_search_locations=inside
    )
    if spec is None or spec.loader is None:
        raise ValueError(f"{path.name} is no Python file")
    module = importlib.util.module_from_spec(spec)
    # A package is loaded as a whole, or its modules would keep what the loading before has left.
    for loaded in [each for each in sys.modules if f"{each}.".startswith(f"{module_name}.")]:
        del sys.modules[loaded]
    # Dataclasses, pickles and relative imports look up the module by its name.
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as fault:  # of the file's own code
        del sys.modules[module_name]
        raise ValueError(f"{path.name} cannot be run: {type(fault).__name__}: {fault}") from fault
    found = getattr(module, attribute, None)
    if not isinstance(found, list | tuple) or not all(isinstance(each, Tool) for each in found):
        raise ValueError(f"{path.name} has no list of tools named {attribute}")
    return list(found)
