"""Connectors: any HTTP API as tools, described by OpenAPI or by one schema.

    api = HttpApi("https://crm.example.org/v2", auth=bearer(token))
    for tool in create_connector("crm", {"openapi": "crm.json"}, api):
        registry.register(tool)

The configuration has `openapi` (a decoded document, or the path of a .json file) or `operations`: a
list of `{"name", "description", "method", "path", "input_schema"}`, and if need be
`"output_schema"` and `"places"`. Members named in the path go there, the others into the query of a
GET or DELETE and into the JSON body of anything else, unless `places` says otherwise. Besides:
`only` (the operations to offer; no other is looked at), `cookies` (the names of those that the
API's client sends by itself), `effects` (`{"operation": "none" | "write" | …}`, where the method
does not tell), `seconds`.

A tool is called `<type>_<operation>`; an operation without a name of its own is `<type>_connector`.

What cannot be used of an OpenAPI document (a file to upload, a schema without end) is left out and
told in the log as `operations_left_out`; one that `only` names is an error. An optional parameter
that cannot be sent is left out alone, and told as `<operation>: <parameter>`.

Errors: `ValueError` for a description that makes no sense, `OSError` for a file that is not there.
Source: specification 001, "MCP Connectors" (`create_connector`).
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

import structlog

from aybiza.config.numbers import finite
from aybiza.config.text_file import text_of
from aybiza.dialogue.tool_registry import LONGEST_SECONDS, Tool, ToolRegistry
from aybiza.dialogue.toolbox import Effect, ToolRun
from aybiza.dialogue.tools.http_api import HttpApi
from aybiza.dialogue.tools.http_params import (
    NEVER_GIVEN,
    Pair,
    Style,
    in_header,
    in_segment,
    pairs,
    plain,
)
from aybiza.dialogue.tools.openapi import (
    FORM,
    MULTIPART,
    Operation,
    Place,
    Wire,
    in_path,
    name_of,
    operations,
    unique,
)
from aybiza.dialogue.tools.paging import hint, next_page

log = structlog.get_logger(__name__)

_NAMED = re.compile(r"\{([^{}]+)\}")
_DESCRIPTION_CHARACTERS: Final = 1_000
NEXT_PAGE: Final = "next_page"
"""The member of a result that says what asks for the next page, where a `Link` does."""
_EFFECTS: Final = ("none", "write", "transfer", "end_call")


def create_connector(
    type_: str,
    config: Mapping[str, Any],
    api: HttpApi,
    left_out: dict[str, str] | None = None,
) -> list[Tool]:
    """The tools of one API; see the module. Reads a file if `openapi` is a path. `left_out` is told
    what cannot be used, and why."""
    left_out = {} if left_out is None else left_out
    only = config.get("only")
    offered = _operations(type_, config, left_out, api.base_url)
    if only is not None:
        refused = [f"{name}: {why}" for name, why in left_out.items()]
        if refused:
            raise ValueError(f"{type_}: cannot be used: {'; '.join(refused)}")
        missing = _missing(only, offered)
        if missing:
            raise ValueError(f"{type_}: there is no operation {missing!r}")
    elif left_out and not offered:
        refused = [f"{name}: {why}" for name, why in left_out.items()]
        raise ValueError(f"{type_}: no operation can be used: {'; '.join(refused)}")
    for operation in offered:
        left_out |= {
            f"{operation.name}: {member}": why for member, why in operation.dropped.items()
        }
    effects = config.get("effects", {})
    seconds = finite(config.get("seconds", LONGEST_SECONDS)) or 0.0
    taken: set[str] = set()
    made = [
        _tool(type_, operation, effects.get(operation.name), seconds, api, taken)
        for operation in offered
    ]
    fitting = [tool for tool in made if only is not None or _fits(tool, left_out)]
    if left_out:
        log.warning("operations_left_out", connector=type_, count=len(left_out), why=left_out)
    return fitting


def _fits(tool: Tool, left_out: dict[str, str]) -> bool:
    """Whether a registry takes the tool; one that it refuses does not refuse the others."""
    try:
        ToolRegistry([tool])
    except ValueError as fault:
        left_out[tool.name] = str(fault).removeprefix(f"{tool.name}: ")
        return False
    return True


def _missing(only: Iterable[str], offered: list[Operation]) -> str | None:
    """The first name that none of the operations has; a long operationId is known by its cut."""
    names = {operation.name for operation in offered}
    for name in only:
        if name not in names and name_of(name) not in names:
            return name
    return None


def _operations(
    type_: str, config: Mapping[str, Any], left_out: dict[str, str], base_url: str = ""
) -> list[Operation]:
    if ("openapi" in config) == ("operations" in config):
        raise ValueError(f"{type_}: give either `openapi` or `operations`")
    only = config.get("only")
    if "operations" in config:
        numbered = enumerate(config["operations"], 1)
        made = [_described(type_, f"{type_}: operation {n}", each) for n, each in numbered]
        return [each for each in made if only is None or each.name in only]
    document = config["openapi"]
    if isinstance(document, str | Path):
        try:
            document = json.loads(text_of(Path(document), OSError))
        except (ValueError, RecursionError) as fault:
            yaml = str(document).endswith((".yaml", ".yml"))
            told = "is YAML, which is not read: convert it" if yaml else f"is not JSON: {fault}"
            raise ValueError(f"{type_}: {document} {told}") from None
    try:
        return operations(
            document, only, left_out, base_url=base_url, cookies=config.get("cookies", ())
        )
    except ValueError as fault:
        raise ValueError(f"{type_}: {fault}") from None


_NEEDED = ("method", "path", "input_schema")
_MEMBERS = (*_NEEDED, "name", "description", "places", "output_schema")


def _described(type_: str, where: str, described: Mapping[str, Any]) -> Operation:
    for member in described:
        if member not in _MEMBERS:
            near = difflib.get_close_matches(str(member), _MEMBERS, n=1)
            meant = f"; did you mean {near[0]}?" if near else f"; there are: {', '.join(_MEMBERS)}"
            raise ValueError(f"{where}: {member} is not known{meant}")
    missing = [member for member in _NEEDED if member not in described]
    if missing:
        raise ValueError(f"{where} has no {' and no '.join(missing)}")
    method, path = str(described["method"]).upper(), str(described["path"])
    if not path.startswith("/"):
        raise ValueError(f"{type_}: the path {path!r} does not begin with a slash")
    schema = dict(described["input_schema"])
    places = dict(described.get("places", {}))
    members = schema.get("properties", {})
    named = in_path(path)
    for member in named:
        if member not in members or member not in schema.get("required", []):
            raise ValueError(f"{type_}: the path needs {member!r}, the input may lack it")
    otherwise: Place = "query" if method in ("GET", "HEAD", "DELETE") else "body"
    for member in members:
        places.setdefault(member, "path" if member in named else otherwise)
        if places[member] == "header" and str(member).lower() in NEVER_GIVEN:
            raise ValueError(f"{type_}: the header {member!r} is not an input's to say")
    return Operation(
        name=name_of(str(described.get("name", ""))) if described.get("name") else "connector",
        description=str(described.get("description") or f"Connect to the {type_} system"),
        method=method,
        path=path,
        input_schema=schema,
        places=places,
        output_schema=described.get("output_schema"),
    )


def _tool(
    type_: str,
    operation: Operation,
    effect: str | None,
    seconds: float,
    api: HttpApi,
    taken: set[str],
) -> Tool:
    name = unique(f"{name_of(type_)}_{operation.name}", taken)
    meant = effect or ("write" if operation.writes else "none")
    if meant not in _EFFECTS:
        raise ValueError(f"{name}: {meant!r} is no effect; there are: {', '.join(_EFFECTS)}")
    answer = operation.output_schema
    pages = hint(operation)
    most = _DESCRIPTION_CHARACTERS - len(pages)
    return Tool(
        name=name,
        description=f"{operation.description[:most]}\n{pages}"
        if pages
        else operation.description[:most],
        run=partial(_run, replace(operation, name=name), api),
        input_schema=operation.input_schema,
        output_schema=answer if answer and answer.get("type") == "object" else None,
        effect=cast(Effect, meant),
        seconds=seconds,
    )


async def _run(
    operation: Operation, api: HttpApi, given: dict[str, Any], use: ToolRun
) -> dict[str, Any]:
    parts = _parts(operation, given)
    places = set(operation.places.values())
    has_body = bool({"body", "whole_body"} & places)
    is_form = has_body and operation.content_type in (FORM, MULTIPART)
    following: list[str] = []
    answer = await api.call(
        operation.method,
        _path(operation.path, parts.path),
        query=parts.query,
        headers=parts.headers,
        body=(parts.body if parts.whole is None else parts.whole)
        if has_body and not is_form
        else None,
        form=parts.form if is_form else None,
        content_type=operation.content_type,
        json_parts=parts.json,
        idempotency_key=idempotency_key(use) if operation.writes else "",
        on_next=following.append,
    )
    result = answer if isinstance(answer, dict) else {"result": answer}
    page = next_page(operation, following[0]) if following else {}
    return {NEXT_PAGE: page, **result} if page and not _is_closed(operation) else result


def _is_closed(operation: Operation) -> bool:
    """Whether the document promises that an answer has no other members."""
    answer = operation.output_schema or {}
    return answer.get("type") == "object" and "additionalProperties" in answer


@dataclass(slots=True)
class _Parts:
    """What an input becomes."""

    path: dict[str, str] = field(default_factory=dict)
    query: list[Pair] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)
    form: list[Pair] = field(default_factory=list)
    json: set[str] = field(default_factory=set)
    whole: Any = None


def _parts(operation: Operation, given: Mapping[str, Any]) -> _Parts:
    parts = _Parts()
    for member, value in given.items():
        place = operation.places.get(member)
        if place is None:
            continue
        wire = operation.wires.get(member, Wire(place, member))
        style = wire.style
        if place == "whole_body":
            parts.whole = value
        elif place == "body" and style is None:
            parts.body[wire.name] = value
        elif place == "body" and style is not None:
            parts.form += pairs(wire.name, value, style)
            if style.as_json:
                parts.json.add(wire.name)
        elif value is None:
            continue
        elif place == "path":
            parts.path[wire.name] = in_segment(
                wire.name, value if style else _plain(value), style or Style("simple", False)
            )
        elif place == "header":
            explode = bool(style and style.explode)
            parts.headers[wire.name] = in_header(
                wire.name, value if style else _plain(value), explode
            )
        elif style is not None:
            parts.query += pairs(wire.name, value, style)
        else:
            parts.query.append((wire.name, plain(_plain(value))))
    return parts


def idempotency_key(use: ToolRun) -> str:
    """What tells a server that a write is the same one."""
    return "-".join(map(str, use.which))


def _path(template: str, values: Mapping[str, str]) -> str:
    # At once: a value is never looked at for names.
    return _NAMED.sub(lambda found: str(values.get(found[1], found[0])), template)


def _plain(value: Any) -> Any:
    """A value as a URL carries it."""
    if isinstance(value, list):
        return ",".join(map(plain, value))
    return plain(value)
