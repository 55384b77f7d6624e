"""Small documents in the shapes of APIs that people have, and what one use of each sends."""

from __future__ import annotations

from typing import Any, NamedTuple

FORM = "application/x-www-form-urlencoded"


def query(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": {}, **more}


def path(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {}, **more}


def body(kind: str, schema: Any = None, **more: Any) -> dict[str, Any]:
    made = {"type": "object", "properties": schema} if isinstance(schema, dict) else {}
    return {"content": {kind: {"schema": made, **more}}}


def document(paths: dict[str, Any], **components: Any) -> dict[str, Any]:
    return {"openapi": "3.0.3", "paths": paths, "components": components}


class Shape(NamedTuple):
    """A document, the tool that is used with what, and what is sent: path and query, body."""

    name: str
    document: dict[str, Any]
    tool: str
    given: dict[str, Any]
    target: str
    sent: str = ""


NUMBERS = {"type": "array", "items": {"type": "integer"}}
OPERATORS = [query("StartTime"), query("StartTime<"), query("StartTime>")]
SHAPES = [
    Shape(
        "telephony calls with operators in names",
        document({"/Calls.json": {"get": {"operationId": "ListCall", "parameters": OPERATORS}}}),
        "ListCall",
        {"StartTime": "1", "StartTime_2": "2", "StartTime_3": "3"},
        "/Calls.json?StartTime=1&StartTime%3C=2&StartTime%3E=3",
    ),
    Shape(
        "telephony message as a form",
        document(
            {
                "/Messages.json": {
                    "post": {
                        "operationId": "CreateMessage",
                        "requestBody": body(FORM, {"To": {}, "MediaUrl": {"type": "array"}}),
                    }
                }
            }
        ),
        "CreateMessage",
        {"To": "+1 5", "MediaUrl": ["a", "b"]},
        "/Messages.json",
        "To=%2B1+5&MediaUrl=a&MediaUrl=b",
    ),
    Shape(
        "payments form with nested objects",
        document(
            {
                "/v1/customers": {
                    "post": {
                        "operationId": "PostCustomers",
                        "requestBody": body(
                            FORM,
                            {"metadata": {"type": "object"}, "expand": {"type": "array"}},
                            encoding={
                                "metadata": {"style": "deepObject"},
                                "expand": {"style": "deepObject"},
                            },
                        ),
                    }
                }
            }
        ),
        "PostCustomers",
        {"metadata": {"a": "1"}, "expand": ["x"]},
        "/v1/customers",
        "metadata%5Ba%5D=1&expand%5B0%5D=x",
    ),
    Shape(
        "payments list with deepObject",
        document(
            {
                "/v1/charges": {
                    "get": {
                        "operationId": "GetCharges",
                        "parameters": [query("created", style="deepObject", explode=True)],
                    }
                }
            }
        ),
        "GetCharges",
        {"created": {"gte": 5}},
        "/v1/charges?created%5Bgte%5D=5",
    ),
    Shape(
        "on-call list with brackets",
        document(
            {
                "/incidents": {
                    "get": {
                        "operationId": "listIncidents",
                        "parameters": [query("team_ids[]", schema=NUMBERS), query("include[]")],
                    }
                }
            }
        ),
        "listIncidents",
        {"team_ids": [1, 2], "include": "x"},
        "/incidents?team_ids%5B%5D=1&team_ids%5B%5D=2&include%5B%5D=x",
    ),
    Shape(
        "arrays by default",
        document(
            {
                "/pets": {
                    "get": {"operationId": "list", "parameters": [query("ids", schema=NUMBERS)]}
                }
            }
        ),
        "list",
        {"ids": [1, 2]},
        "/pets?ids=1&ids=2",
    ),
    Shape(
        "fields with commas",
        document(
            {
                "/tasks": {
                    "get": {
                        "operationId": "getTasks",
                        "parameters": [
                            query(
                                "opt_fields", schema={"type": "array"}, style="form", explode=False
                            )
                        ],
                    }
                }
            }
        ),
        "getTasks",
        {"opt_fields": ["name", "due"]},
        "/tasks?opt_fields=name%2Cdue",
    ),
    Shape(
        "pipes",
        document(
            {
                "/maps": {
                    "get": {
                        "operationId": "route",
                        "parameters": [
                            query(
                                "via",
                                schema={"type": "array"},
                                style="pipeDelimited",
                                explode=False,
                            )
                        ],
                    }
                }
            }
        ),
        "route",
        {"via": ["a", "b"]},
        "/maps?via=a%7Cb",
    ),
    Shape(
        "a query that is JSON",
        document(
            {
                "/search": {
                    "get": {
                        "operationId": "search",
                        "parameters": [
                            {
                                "name": "filter",
                                "in": "query",
                                "content": {"application/json": {"schema": {"type": "object"}}},
                            }
                        ],
                    }
                }
            }
        ),
        "search",
        {"filter": {"a": 1}},
        "/search?filter=%7B%22a%22%3A+1%7D",
    ),
    Shape(
        "an upload beside what is wanted",
        document(
            {
                "/files/content": {
                    "post": {
                        "operationId": "post_files_content",
                        "requestBody": body("multipart/form-data", {"file": {}}),
                    }
                },
                "/files/{file_id}": {
                    "get": {"operationId": "get_files_id", "parameters": [path("file_id")]}
                },
            }
        ),
        "get_files_id",
        {"file_id": "12"},
        "/files/12",
    ),
    Shape(
        "one name in path and query",
        document(
            {
                "/users/{id}": {
                    "get": {"operationId": "user", "parameters": [path("id"), query("id")]}
                }
            }
        ),
        "user",
        {"id": "7", "id_query": "8"},
        "/users/7?id=8",
    ),
    Shape(
        "one name in path and form",
        document(
            {
                "/orders/{id}": {
                    "put": {
                        "operationId": "order",
                        "parameters": [path("id")],
                        "requestBody": body(FORM, {"id": {}}),
                    }
                }
            }
        ),
        "order",
        {"id": "7", "id_body": "8"},
        "/orders/7",
        "id=8",
    ),
    Shape(
        "a patch with its own media type",
        document(
            {
                "/invoices/{id}": {
                    "patch": {
                        "operationId": "patch",
                        "parameters": [path("id")],
                        "requestBody": body("application/json-patch+json", {"op": {}}),
                    }
                }
            }
        ),
        "patch",
        {"id": "7", "op": "add"},
        "/invoices/7",
        '{"op": "add"}',
    ),
    Shape(
        "a pointer into allOf",
        document(
            {
                "/a": {
                    "post": {
                        "operationId": "a",
                        "requestBody": {
                            "content": {
                                "application/json": {
                                    "schema": {"$ref": "#/components/schemas/B/allOf/0"}
                                }
                            }
                        },
                    }
                }
            },
            schemas={"B": {"allOf": [{"type": "object", "properties": {"x": {}}}]}},
        ),
        "a",
        {"x": 1},
        "/a",
        '{"x": 1}',
    ),
    Shape(
        "a pointer with percent signs",
        document(
            {
                "/a/{id}": {"parameters": [path("id")], "get": {"operationId": "a"}},
                "/b/{id}": {
                    "get": {
                        "operationId": "b",
                        "parameters": [{"$ref": "#/paths/~1a~1%7Bid%7D/parameters/0"}],
                    }
                },
            }
        ),
        "b",
        {"id": "3"},
        "/b/3",
    ),
    Shape(
        "ids alike in 64 characters",
        document(
            {
                "/a": {"get": {"operationId": "x" * 64 + "a"}},
                "/b": {"get": {"operationId": "x" * 64 + "b"}},
            }
        ),
        "x" * 58 + "_2",
        {},
        "/b",
    ),
    Shape(
        "an id of two operations",
        document({"/a": {"get": {"operationId": "same"}}, "/b": {"get": {"operationId": "same"}}}),
        "same_2",
        {},
        "/b",
    ),
    Shape(
        "a list in the path",
        document(
            {
                "/batch/{ids}": {
                    "get": {"operationId": "batch", "parameters": [path("ids", schema=NUMBERS)]}
                }
            }
        ),
        "batch",
        {"ids": [1, 2]},
        "/batch/1,2",
    ),
    Shape(
        "a schema that stands in itself",
        document(
            {
                "/tree": {
                    "post": {
                        "operationId": "tree",
                        "requestBody": {
                            "content": {
                                "application/json": {"schema": {"$ref": "#/components/schemas/T"}}
                            }
                        },
                    }
                }
            },
            schemas={
                "T": {
                    "type": "object",
                    "properties": {
                        "below": {"type": "array", "items": {"$ref": "#/components/schemas/T"}}
                    },
                }
            },
        ),
        "tree",
        {"below": [{"below": []}]},
        "/tree",
        '{"below": [{"below": []}]}',
    ),
    Shape(
        "a body that is a list",
        document(
            {
                "/bulk": {
                    "post": {
                        "operationId": "bulk",
                        "requestBody": {
                            "content": {"application/json": {"schema": {"type": "array"}}}
                        },
                    }
                }
            }
        ),
        "bulk",
        {"body": [1]},
        "/bulk",
        "[1]",
    ),
    Shape(
        "a cookie that may be left out",
        document(
            {
                "/me": {
                    "get": {
                        "operationId": "me",
                        "parameters": [{"name": "session", "in": "cookie", "schema": {}}],
                    }
                }
            }
        ),
        "me",
        {},
        "/me",
    ),
    Shape(
        "a name longer than Converse takes",
        document({"/long": {"get": {"operationId": "long", "parameters": [query("n" * 80)]}}}),
        "long",
        {"n" * 64: "1"},
        f"/long?{'n' * 80}=1",
    ),
]
