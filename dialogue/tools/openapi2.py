"""A document of OpenAPI 2.0 ("Swagger") as one of 3.0, as far as operations need it.

Contract: `as_3(document)` gives a document of 3.0 with the same paths; one of another version is
given back as it is. What references lead to stays where it was. What cannot be read of a path or a
parameter is handed on as it stands, for who reads 3.0 knows to whose operation it belongs. Pure.
Errors: none.
Source: OpenAPI Specification 2.0 ("Parameter Object", `collectionFormat`) and 3.0 (`style`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aybiza.dialogue.tools.openapi_schema import resolved

METHODS: Final = ("get", "head", "post", "put", "patch", "delete")
FORM: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"
JSON: Final = "application/json"

# Styles and explode by collectionFormat; 3.0 has no name for tabs between items.
_STYLES: Final[Mapping[str, Mapping[str, Any]]] = {
    "csv": {"explode": False},
    "multi": {"explode": True},
    "ssv": {"style": "spaceDelimited", "explode": False},
    "pipes": {"style": "pipeDelimited", "explode": False},
    "tsv": {"style": "tabDelimited", "explode": False},
}
_OF_THE_PARAMETER: Final = ("name", "in", "description", "required", "collectionFormat")
_KEPT: Final = ("summary", "description", "operationId")


def as_3(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """See the module."""
    paths = document.get("paths")
    if str(document.get("swagger", "")) != "2.0" or not isinstance(paths, Mapping):
        return document
    rest = {key: value for key, value in document.items() if key != "swagger"}
    made = {path: _path_item(document, item) for path, item in paths.items()}
    return {**rest, "openapi": "3.0.3", "paths": made, "servers": _servers(document)}


def _servers(document: Mapping[str, Any]) -> list[dict[str, str]]:
    schemes = _listed(document.get("schemes")) or ["https"]
    host = document.get("host")
    return [{"url": f"{schemes[0]}://{host}{document.get('basePath', '')}"}] if host else []


def _path_item(document: Mapping[str, Any], stated: Any) -> Any:
    item = _found(document, stated)
    if item is None:
        return stated
    shared = _listed(item.get("parameters"))
    return {
        method: _operation(document, item[method], shared)
        for method in METHODS
        if isinstance(item.get(method), Mapping)
    }


def _operation(
    document: Mapping[str, Any], stated: Mapping[str, Any], shared: list[Any]
) -> dict[str, Any]:
    by_key: dict[tuple[str, str], Mapping[str, Any]] = {}
    unread: list[Any] = []
    for each in [*shared, *_listed(stated.get("parameters"))]:
        parameter = _found(document, each)
        if parameter is None:
            unread.append(each)
        else:
            by_key[str(parameter.get("name")), str(parameter.get("in"))] = parameter
    made: dict[str, Any] = {key: stated[key] for key in _KEPT if key in stated}
    consumes = _kinds(stated.get("consumes")) or _kinds(document.get("consumes"))
    produces = _kinds(stated.get("produces")) or _kinds(document.get("produces")) or [JSON]
    form = [each for each in by_key.values() if each.get("in") == "formData"]
    bodies = [each for each in by_key.values() if each.get("in") == "body"]
    made["parameters"] = unread + [
        _parameter(each) for each in by_key.values() if each.get("in") not in ("formData", "body")
    ]
    if bodies:
        content = {kind: {"schema": bodies[0].get("schema", {})} for kind in consumes or [JSON]}
        made["requestBody"] = {"content": content, "required": bool(bodies[0].get("required"))}
    elif form:
        made["requestBody"] = {"content": {_form_kind(form, consumes): _form(form)}}
    made["responses"] = _responses(document, stated.get("responses"), produces)
    return made


def _parameter(stated: Mapping[str, Any]) -> dict[str, Any]:
    made = {key: stated[key] for key in ("name", "in", "description", "required") if key in stated}
    made["schema"] = _schema(stated)
    if stated.get("type") == "array":
        made.update(_STYLES[_collection(stated)])
    return made


def _collection(stated: Mapping[str, Any]) -> str:
    named = str(stated.get("collectionFormat", "csv"))
    return named if named in _STYLES else "csv"


def _schema(stated: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in stated.items() if key not in _OF_THE_PARAMETER}


def _form_kind(form: list[Mapping[str, Any]], consumes: list[str]) -> str:
    if any(each.get("type") == "file" for each in form):
        return MULTIPART
    return FORM if FORM in consumes or MULTIPART not in consumes else MULTIPART


def _form(form: list[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "schema": {
            "type": "object",
            "properties": {
                str(each.get("name")): {
                    **_schema(each),
                    **({"description": each["description"]} if "description" in each else {}),
                }
                for each in form
            },
            "required": [str(each.get("name")) for each in form if each.get("required")],
        },
        "encoding": {
            str(each.get("name")): dict(_STYLES[_collection(each)])
            for each in form
            if each.get("type") == "array"
        },
    }


def _responses(document: Mapping[str, Any], stated: Any, produces: list[str]) -> dict[str, Any]:
    made = {}
    for status, each in stated.items() if isinstance(stated, Mapping) else ():
        response = _found(document, each)
        if response is not None and "schema" in response:
            content = {kind: {"schema": response["schema"]} for kind in produces}
            made[str(status)] = {"content": content}
    return made


def _found(document: Mapping[str, Any], stated: Any) -> Mapping[str, Any] | None:
    """What is stated or referred to; None where that cannot be read."""
    try:
        found = resolved(document, stated)
    except ValueError:
        return None
    return found if isinstance(found, Mapping) else None


def _kinds(stated: Any) -> list[str]:
    return [each for each in _listed(stated) if isinstance(each, str)]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
