"""What an OpenAPI description offers: its operations, as a tool needs them.

Contract: `operations(document)` gives one `Operation` for each path and method of an OpenAPI 3
document, or one of 2.0 (decoded JSON). The parameters and the members of a JSON or form body become
the members of one input schema, under names that Converse takes; references inside the document
are put in their place, the dialect of 3.0 becomes JSON Schema 2020-12, and what is too large is
cut. Pure.
Errors: `ValueError` names the operation and what is wrong with it; with `left_out` such an
operation is entered there and left out, so that one does not refuse the others. An optional
parameter that cannot be sent is none of the tool's input: `Operation.dropped` has the reason.
Source: OpenAPI Specification 3.0 and 3.1; JSON Schema 2020-12; Converse, `ToolInputSchema`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

from aybiza.config.json_schema import validator
from aybiza.dialogue.tools.http_params import NEVER_GIVEN, STYLES, Style
from aybiza.dialogue.tools.openapi2 import METHODS, as_3
from aybiza.dialogue.tools.openapi_schema import ANSWER_BYTES, Schema, bounded, inlined, resolved

__all__ = ["Operation", "Place", "Schema", "in_path", "inlined", "name_of", "operations"]

Place = Literal["path", "query", "header", "body", "whole_body"]

SAFE_METHODS: Final = frozenset({"GET", "HEAD"})
JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"

_NOT_NAME = re.compile(r"[^A-Za-z0-9-]+")
_NOT_MEMBER = re.compile(r"[^A-Za-z0-9_.-]+")
_TEMPLATE = re.compile(r"\{([^{}]+)\}")
_OF_THE_CLIENT: Final = frozenset({"accept", "content-type", "authorization", "user-agent"})
"""The client says these; of the first three OpenAPI says that a parameter is ignored."""
_BODY: Final = "body"
_LONGEST: Final = 64
_CUT: Final = "Parts of the input are too large to be described: any value is taken there."


class Wire(NamedTuple):
    """How a member of the input is sent: where, under which name, in which style.

    Without a style it is written as JSON or as its text.
    """

    place: Place
    name: str
    style: Style | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that an API can do.

    `places` says where each member of the input goes; a `whole_body` is the one member that is the
    body. `path` has `{name}` where a member belongs. `wires` says how those of an OpenAPI document
    are sent, `content_type` what the body is. `dropped` says of each optional parameter that
    cannot be sent why.
    """

    name: str
    description: str
    method: str
    path: str
    input_schema: Schema
    places: Mapping[str, Place] = field(default_factory=dict)
    output_schema: Schema | None = None
    wires: Mapping[str, Wire] = field(default_factory=dict)
    content_type: str = JSON
    dropped: Mapping[str, str] = field(default_factory=dict)

    @property
    def writes(self) -> bool:
        """Whether its method may change something."""
        return self.method not in SAFE_METHODS


class _Described(NamedTuple):
    """An operation as the document states it."""

    path: str
    method: str
    stated: Mapping[str, Any]
    shared: Any
    servers: Any = None


def operations(
    document: Mapping[str, Any],
    only: Collection[str] | None = None,
    left_out: dict[str, str] | None = None,
    *,
    base_url: str = "",
    cookies: Collection[str] = (),
) -> list[Operation]:
    """See the module. The order is the document's.

    `only`: the names, or operationIds, of those that are looked at. `base_url` is where requests
    go: what has another server of its own is no operation, because a document names no hosts.
    `cookies`: those that the client sends by itself.
    """
    document = as_3(document)
    if not str(document.get("openapi", "")).startswith("3."):
        raise ValueError(
            "this is no OpenAPI document of version 2.0 or 3: `openapi` is missing or another"
        )
    paths = document.get("paths")
    if not isinstance(paths, Mapping) or not paths:
        raise ValueError("the OpenAPI document has no `paths`")
    found: list[Operation] = []
    taken: set[str] = set()
    ids: set[str] = set()
    for described in _described(document, paths, left_out):
        stated_id = str(described.stated.get("operationId") or "")
        if stated_id in ids and left_out is None:
            raise ValueError(f"two operations are called {stated_id!r}; give them an operationId")
        ids.add(stated_id or f"{described.method} {described.path}")
        name = unique(name_of(stated_id or f"{described.method}_{described.path}"), taken)
        if only is not None and not {name, stated_id} & set(only):
            continue
        try:
            _check_server(document, name, described.servers, base_url)
            found.append(_operation(document, name, described, cookies))
        except ValueError as fault:
            if left_out is None:
                raise
            left_out[name] = str(fault).removeprefix(f"{name}: ")
    return found


def name_of(text: str) -> str:
    """`text` as a tool may be called."""
    return _NOT_NAME.sub("_", text).strip("_")[:_LONGEST] or "operation"


def unique(name: str, taken: set[str]) -> str:
    """The name, or one like it that is not taken, which is then; at most 64 characters."""
    made, number = name[:_LONGEST], 1
    while made in taken:
        number += 1
        end = f"_{number}"
        made = name[: _LONGEST - len(end)] + end
    taken.add(made)
    return made


def in_path(path: str) -> list[str]:
    """The names in `{}` of a path."""
    return _TEMPLATE.findall(path)


def _described(
    document: Mapping[str, Any], paths: Mapping[str, Any], left_out: dict[str, str] | None
) -> Iterator[_Described]:
    for path, stated in paths.items():
        try:
            item = resolved(document, stated)
        except ValueError as fault:
            if left_out is None:
                raise
            left_out[str(path)] = str(fault)
            continue
        if not isinstance(item, Mapping):
            continue
        for method in METHODS:
            described = item.get(method)
            if isinstance(described, Mapping):
                servers = described.get("servers") or item.get("servers")
                yield _Described(str(path), method, described, item.get("parameters"), servers)


def _check_server(document: Mapping[str, Any], name: str, servers: Any, base_url: str) -> None:
    """Raises ValueError for an operation that is elsewhere than the document or the base URL."""
    own, shared = _urls(servers), _urls(document.get("servers"))
    if own and own != shared and base_url.rstrip("/") not in own:
        raise ValueError(
            f"{name}: it has a server of its own, {own[0][:80]}:"
            " give it a connector with that base_url"
        )


def _urls(servers: Any) -> list[str]:
    stated = [each.get("url") for each in _listed(servers) if isinstance(each, Mapping)]
    return [str(url).rstrip("/") for url in stated]


class _Input:
    """The members of an operation's input, as they are found."""

    def __init__(self, document: Mapping[str, Any], name: str, cookies: Collection[str]) -> None:
        self.document = document
        self.name = name
        self.cookies = cookies
        self.properties: dict[str, Schema] = {}
        self.wires: dict[str, Wire] = {}
        self.required: list[str] = []
        self.content_type = JSON
        self.cut = False
        self.dropped: dict[str, str] = {}
        self._taken: set[str] = set()

    def add(self, wire: Wire, schema: Schema, required: bool) -> None:
        """A member, under a name that the model may be given."""
        name = _NOT_MEMBER.sub("_", wire.name).strip("_") or wire.place
        if name in self._taken and wire.name in self.properties:
            name = f"{wire.name}_{wire.place}"
        name = unique(_NOT_MEMBER.sub("_", name), self._taken)
        self.properties[name] = schema
        self.wires[name] = wire
        if required:
            self.required.append(name)

    @contextmanager
    def attempt(self, member: str, required: bool) -> Iterator[None]:
        """Add a member here: one that cannot be sent is dropped, unless it is required."""
        try:
            yield
        except ValueError as fault:
            if required:
                raise
            self.dropped[member] = str(fault).removeprefix(f"{self.name}: ")

    def schema(self, stated: Any) -> Schema:
        """A schema of the document, bounded. Raises ValueError."""
        try:
            made, cut = bounded(self.document, stated)
        except ValueError as fault:
            raise ValueError(f"{self.name}: {fault}") from None
        self.cut = self.cut or cut
        return made


def _operation(
    document: Mapping[str, Any], name: str, described: _Described, cookies: Collection[str]
) -> Operation:
    path, method, stated = described[:3]
    if not path.startswith("/"):
        raise ValueError(f"{name}: the path {path!r} does not begin with a slash")
    given = _Input(document, name, cookies)
    _add_parameters(given, described)
    in_paths = {wire.name for wire in given.wires.values() if wire.place == "path"}
    missing = [member for member in in_path(path) if member not in in_paths]
    if missing:
        raise ValueError(f"{name}: the path speaks of {missing[0]!r}, the parameters do not")
    _add_body(given, stated)
    schema = {
        "type": "object",
        "properties": given.properties,
        "required": given.required,
        "additionalProperties": False,
    }
    words = [str(stated[key]).strip() for key in ("summary", "description") if key in stated]
    if given.cut:
        words.insert(1, _CUT)
    return Operation(
        name=name,
        description="\n".join(dict.fromkeys(filter(None, words))) or f"{method.upper()} {path}",
        method=method.upper(),
        path=path,
        input_schema=given.schema(schema),
        places={member: wire.place for member, wire in given.wires.items()},
        output_schema=_answer(document, stated),
        wires=given.wires,
        content_type=given.content_type,
        dropped=given.dropped,
    )


def _add_parameters(given: _Input, described: _Described) -> None:
    parameters: dict[tuple[str, str], Mapping[str, Any]] = {}
    for stated in [*_listed(described.shared), *_listed(described.stated.get("parameters"))]:
        parameter = resolved(given.document, stated)
        if not isinstance(parameter, Mapping) or "name" not in parameter:
            raise ValueError(f"{given.name}: a parameter has no name")
        parameters[str(parameter["name"]), str(parameter.get("in"))] = parameter
    writes = described.method.upper() not in SAFE_METHODS
    ours = _OF_THE_CLIENT | ({"idempotency-key"} if writes else set())
    for (member, place), parameter in parameters.items():
        if place == "header" and member.lower() in ours:
            continue
        if place == "cookie" and member in given.cookies:
            continue
        required = bool(parameter.get("required")) or place == "path"
        with given.attempt(member, required):
            _add_parameter(given, member, place, parameter, required)


def _add_parameter(
    given: _Input, member: str, place: str, parameter: Mapping[str, Any], required: bool
) -> None:
    if place == "header" and member.lower() in NEVER_GIVEN:
        raise ValueError(f"{given.name}: the header {member!r} is not an input's to say")
    if place == "cookie":
        raise ValueError(
            f"{given.name}: the cookie {member!r} is not an input's to say;"
            " the file may give it, under `cookies`"
        )
    if place not in STYLES:
        raise ValueError(f"{given.name}: parameter {member!r} cannot be sent (in: {place})")
    stated = parameter.get("schema")
    content = parameter.get("content")
    as_json = isinstance(content, Mapping) and bool(content)
    if isinstance(content, Mapping) and as_json:
        kind, media = next(iter(content.items()))
        if not _is_json(kind) or not isinstance(media, Mapping):
            raise ValueError(f"{given.name}: parameter {member!r} is {kind}, not JSON")
        stated = media.get("schema")
    schema = given.schema({} if stated is None else stated)
    if "description" in parameter:
        schema = {**schema, "description": str(parameter["description"])}
    style = _style(given.name, member, place, parameter, as_json)
    given.add(Wire(place, member, style), schema, required)  # type: ignore[arg-type]


def _style(
    name: str, member: str, place: str, stated: Mapping[str, Any], as_json: bool = False
) -> Style:
    style = str(stated.get("style") or STYLES[place][0])
    if style not in STYLES[place]:
        raise ValueError(f"{name}: {member!r} has the style {style}, which is not written")
    explode = stated.get("explode")
    return Style(style, style == "form" if explode is None else bool(explode), as_json)


def _add_body(given: _Input, described: Mapping[str, Any]) -> None:
    """The body's members, beside the parameters; as one member where that cannot be."""
    body = resolved(given.document, described.get("requestBody"))
    if not isinstance(body, Mapping):
        return
    content = body.get("content")
    kinds = dict(content) if isinstance(content, Mapping) else {}
    fitting = (next(filter(each, kinds), None) for each in (_is_json, _is_form, _is_multipart))
    kind = next(filter(None, fitting), None)
    if kind is None or not isinstance(kinds[kind], Mapping):
        told = ", ".join(map(str, kinds)) or "no kind is named"
        raise ValueError(f"{given.name}: its body is not JSON and no form: {told}")
    media, plain_kind = kinds[kind], _plain_kind(kind)
    form = plain_kind in (FORM, MULTIPART)
    given.content_type = plain_kind if form or "*" not in plain_kind else JSON
    whole = given.schema(media.get("schema", {}))
    members = whole.get("properties")
    apart = whole.get("type") == "object" and isinstance(members, Mapping)
    if _is_form(kind) and apart and not members and not body.get("required"):
        return
    if form and not (apart and members):
        raise ValueError(f"{given.name}: the members of its form are not described: {plain_kind}")
    wired = {wire.name for wire in given.wires.values()}
    if apart and isinstance(members, Mapping) and (form or not set(members) & wired):
        encodings = media.get("encoding")
        needed = _listed(whole.get("required"))
        for member, schema in members.items():
            style = None
            stated = encodings.get(member) if isinstance(encodings, Mapping) else None
            stated = stated if isinstance(stated, Mapping) else {}
            if _is_multipart(kind) and _is_file(schema, stated):
                raise ValueError(f"{given.name}: its {MULTIPART} has a file, {member!r}")
            with given.attempt(member, member in needed):
                if form:
                    style = _style(given.name, member, "query", stated, _as_one(schema, stated))
                given.add(Wire("body", member, style), schema, member in needed)
        return
    given.add(Wire("whole_body", _BODY), whole, bool(body.get("required")))


def _is_file(schema: Any, encoding: Mapping[str, Any]) -> bool:
    """Whether a part of a multipart body is a file; so is what has no type, as 3.1 has it."""
    if not isinstance(schema, Mapping):
        return False
    kind = _plain_kind(encoding.get("contentType", JSON))
    inner = [
        *[schema[key] for key in ("items",) if key in schema],
        *[each for key in ("anyOf", "oneOf", "allOf") for each in _listed(schema.get(key))],
    ]
    return (
        not (_is_json(kind) or kind.startswith("text/"))
        or not schema.keys() - {"description", "title"}
        or schema.get("type") == "file"
        or schema.get("format") == "binary"
        or bool({"contentMediaType", "contentEncoding"} & schema.keys())
        or any(_is_file(each, {}) for each in inner)
    )


def _as_one(schema: Any, encoding: Mapping[str, Any]) -> bool:
    """Whether a form's member is an object that no style takes apart: it is written as JSON."""
    is_object = isinstance(schema, Mapping) and schema.get("type") == "object"
    return is_object and "style" not in encoding


def _answer(document: Mapping[str, Any], described: Mapping[str, Any]) -> Schema | None:
    """The schema of the JSON that a success answers; None too where it cannot be used."""
    responses = described.get("responses")
    if not isinstance(responses, Mapping):
        return None
    for status in sorted(map(str, responses)):
        if not status.startswith("2"):
            continue
        try:
            answer = resolved(document, responses.get(status))
            content = answer.get("content") if isinstance(answer, Mapping) else None
            for kind, media in content.items() if isinstance(content, Mapping) else ():
                if _is_json(kind) and isinstance(media, Mapping):
                    stated = media.get("schema", {})
                    schema = bounded(document, stated, ANSWER_BYTES, "writeOnly")[0]
                    validator(schema, "the schema of the answer")
                    return schema
        except ValueError:
            pass  # what comes back is taken as it is
        return None
    return None


def _plain_kind(kind: object) -> str:
    return str(kind).partition(";")[0].strip().lower()


def _is_json(kind: object) -> bool:
    plain = _plain_kind(kind)
    return plain in (JSON, "text/json", "application/*", "*/*") or plain.endswith("+json")


def _is_form(kind: object) -> bool:
    return _plain_kind(kind) == FORM


def _is_multipart(kind: object) -> bool:
    return _plain_kind(kind) == MULTIPART


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
