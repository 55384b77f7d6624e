"""What an OpenAPI description offers: its operations, as a tool needs them.

Contract: `operations(document)` gives one `Operation` for each path and method of an OpenAPI 3
document (decoded JSON). The parameters and the members of a JSON body become the members of one
input schema; references inside the document are put in their place, the dialect of 3.0 is turned
into JSON Schema 2020-12. Pure.
Errors: `ValueError` names the operation and what is wrong with it.
Source: OpenAPI Specification 3.0 and 3.1; JSON Schema 2020-12.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Place = Literal["path", "query", "header", "body", "whole_body"]
Schema = dict[str, Any]

METHODS: Final = ("get", "head", "post", "put", "patch", "delete")
SAFE_METHODS: Final = frozenset({"GET", "HEAD"})

_NOT_NAME = re.compile(r"[^A-Za-z0-9-]+")
_TEMPLATE = re.compile(r"\{([^{}]+)\}")
_MOST_REFERENCES: Final = 12
_BODY: Final = "body"
# What 3.0 has and JSON Schema has not, or means otherwise.
_DROPPED: Final = frozenset(
    {"nullable", "discriminator", "xml", "externalDocs", "example", "$schema", "$id", "$anchor"}
)
# What holds values, and what holds schemas by names of the document's own.
_LITERAL: Final = frozenset({"enum", "const", "default", "required", "examples"})
_BY_NAME: Final = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs"})


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that an API can do.

    `places` says where each member of the input goes; a `whole_body` is the one member that is the
    body. `path` has `{name}` where a member belongs.
    """

    name: str
    description: str
    method: str
    path: str
    input_schema: Schema
    places: Mapping[str, Place] = field(default_factory=dict)
    output_schema: Schema | None = None

    @property
    def writes(self) -> bool:
        """Whether its method may change something."""
        return self.method not in SAFE_METHODS


def operations(document: Mapping[str, Any]) -> list[Operation]:
    """See the module. The order is the document's."""
    if not str(document.get("openapi", "")).startswith("3."):
        raise ValueError("this is no OpenAPI 3 document: `openapi` is missing or another version")
    paths = document.get("paths")
    if not isinstance(paths, Mapping) or not paths:
        raise ValueError("the OpenAPI document has no `paths`")
    found = [_operation(document, *described) for described in _described(document, paths)]
    names = [operation.name for operation in found]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"two operations are called {twice.pop()!r}; give them an operationId")
    return found


def name_of(text: str) -> str:
    """`text` as a tool may be called."""
    return _NOT_NAME.sub("_", text).strip("_")[:64] or "operation"


def in_path(path: str) -> list[str]:
    """The names in `{}` of a path."""
    return _TEMPLATE.findall(path)


def _described(
    document: Mapping[str, Any], paths: Mapping[str, Any]
) -> Iterator[tuple[str, str, Mapping[str, Any], list[Any]]]:
    for path, stated in paths.items():
        item = _resolved(document, stated)
        if not isinstance(item, Mapping):
            continue
        for method in METHODS:
            described = item.get(method)
            if isinstance(described, Mapping):
                yield str(path), method, described, list(item.get("parameters", []))


def _operation(
    document: Mapping[str, Any],
    path: str,
    method: str,
    described: Mapping[str, Any],
    shared: list[Any],
) -> Operation:
    name = name_of(str(described.get("operationId") or f"{method}_{path}"))
    properties: dict[str, Schema] = {}
    places: dict[str, Place] = {}
    required: list[str] = []
    parameters: dict[tuple[str, str], Mapping[str, Any]] = {}
    for stated in [*shared, *described.get("parameters", [])]:
        parameter = _resolved(document, stated)
        if not isinstance(parameter, Mapping) or "name" not in parameter:
            raise ValueError(f"{name}: a parameter has no name")
        parameters[str(parameter["name"]), str(parameter.get("in"))] = parameter
    for (member, place), parameter in parameters.items():
        if place == "cookie":
            continue
        if place not in ("path", "query", "header") or member in places:
            raise ValueError(f"{name}: parameter {member!r} cannot be sent (in: {place})")
        places[member] = place  # type: ignore[assignment]
        schema = inlined(document, parameter.get("schema", {}))
        if "description" in parameter:
            schema = {**schema, "description": str(parameter["description"])}
        properties[member] = schema
        if parameter.get("required") or place == "path":
            required.append(member)
    missing = [member for member in in_path(path) if places.get(member) != "path"]
    if missing:
        raise ValueError(f"{name}: the path speaks of {missing[0]!r}, the parameters do not")
    _add_body(document, name, described, properties, places, required)
    words = [str(described[key]).strip() for key in ("summary", "description") if key in described]
    return Operation(
        name=name,
        description="\n".join(dict.fromkeys(filter(None, words))) or f"{method.upper()} {path}",
        method=method.upper(),
        path=path,
        input_schema={
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        },
        places=places,
        output_schema=_answer(document, described),
    )


def _add_body(
    document: Mapping[str, Any],
    name: str,
    described: Mapping[str, Any],
    properties: dict[str, Schema],
    places: dict[str, Place],
    required: list[str],
) -> None:
    """The JSON body's members, beside the parameters; as one member where that cannot be."""
    body = _resolved(document, described.get("requestBody"))
    if not isinstance(body, Mapping):
        return
    found = _json_schema(document, body)
    if found is None:
        if body.get("required"):
            raise ValueError(f"{name}: its body is not JSON")
        return
    members = found.get("properties")
    plain = found.get("type") == "object" and isinstance(members, Mapping)
    if plain and isinstance(members, Mapping) and not set(members) & set(properties):
        properties.update(members)
        places.update(dict.fromkeys(members, "body"))
        required += [member for member in found.get("required", []) if member in members]
        return
    if _BODY in properties:
        raise ValueError(f"{name}: a parameter is called {_BODY!r} beside the body")
    properties[_BODY] = found
    places[_BODY] = "whole_body"
    if body.get("required"):
        required.append(_BODY)


def _answer(document: Mapping[str, Any], described: Mapping[str, Any]) -> Schema | None:
    """The schema of the JSON that a success answers."""
    responses = described.get("responses")
    if not isinstance(responses, Mapping):
        return None
    for status in sorted(map(str, responses)):
        if status.startswith("2"):
            answer = _resolved(document, responses.get(status))
            return _json_schema(document, answer) if isinstance(answer, Mapping) else None
    return None


def _json_schema(document: Mapping[str, Any], holder: Mapping[str, Any]) -> Schema | None:
    content = holder.get("content")
    for kind, media in content.items() if isinstance(content, Mapping) else ():
        plain = str(kind).partition(";")[0].strip().lower()
        if (plain == "application/json" or plain.endswith("+json")) and isinstance(media, Mapping):
            return inlined(document, media.get("schema", {}))
    return None


def inlined(document: Mapping[str, Any], schema: Any) -> Schema:
    """A schema that stands by itself; where it stands in itself again, anything goes."""
    made = _inlined(document, schema, frozenset())
    return made if isinstance(made, dict) else {}


def _inlined(document: Mapping[str, Any], schema: Any, inside: frozenset[str]) -> Any:
    if isinstance(schema, list):
        return [_inlined(document, item, inside) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    reference = schema.get("$ref")
    if isinstance(reference, str):
        if reference in inside:
            return {}
        return _inlined(document, _resolved(document, schema), inside | {reference})
    made: Schema = {}
    for key, value in schema.items():
        if key in _DROPPED:
            continue
        if key in _LITERAL:
            made[key] = value
        elif key in _BY_NAME and isinstance(value, Mapping):
            made[key] = {name: _inlined(document, part, inside) for name, part in value.items()}
        else:
            made[key] = _inlined(document, value, inside)
    for limit, sign in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(made.get(limit), bool) and made.pop(limit) and sign in made:
            made[limit] = made.pop(sign)
    if schema.get("nullable") is True and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
        if "enum" in made and None not in made["enum"]:
            made["enum"] = [*made["enum"], None]
    return made


def _resolved(document: Mapping[str, Any], value: Any) -> Any:
    """What a reference inside the document stands for; other values as they are."""
    for _ in range(_MOST_REFERENCES):
        if not isinstance(value, Mapping) or not isinstance(value.get("$ref"), str):
            return value
        reference: str = value["$ref"]
        if not reference.startswith("#/"):
            raise ValueError(f"{reference!r} leads out of the document")
        found: Any = document
        for part in reference[2:].split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, Mapping) or key not in found:
                raise ValueError(f"{reference!r} leads nowhere")
            found = found[key]
        value = found
    raise ValueError("references that lead to themselves")
