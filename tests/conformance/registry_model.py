"""Random scenarios of registries, and what a plain list makes of them.

The list knows nothing of the runtime: it reads match specifications as the files write them, and
compares by rules of its own. `scenario(seed)` is a case in the format of `registry_more.json`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from typing import Any

KEYS = ["a", "b", 1, 1.0, ["k", 1]]
VALUES = [1, 1.0, 2, 7, "x", "y", None, ["x", 1], ["x", 1.0], [], {"m": 1}, {"m": 1.0, "n": 2}]
PATTERNS = ["_", "$1", 1, 1.0, "x", ["x", "_"], ["$1", "$2"], ["$1", "$1"], {"m": "$1"}, {"m": 1}]
GUARDS: list[list[Any]] = [
    [">", "$1", 1],
    ["=<", "$1", 2],
    ["==", "$1", 1],
    ["=:=", "$1", 1],
    ["/=", "$1", "x"],
    ["is_integer", "$1"],
    ["not", ["is_binary", "$1"]],
    [">", ["+", "$1", 1], 2],
    ["=:=", ["rem", "$1", 2], 1],
    ["andalso", ["is_integer", "$1"], [">", "$1", 1]],
    ["orelse", ["==", "$1", "x"], ["is_list", "$1"]],
]
OPERATIONS = {
    "register": 9,
    "unregister": 2,
    "unregister_match": 3,
    "update_value": 2,
    "lookup": 2,
    "values": 2,
    "keys": 2,
    "count": 1,
    "match": 3,
    "count_match": 2,
    "select": 4,
    "count_select": 2,
    "dispatch": 1,
    "kill": 1,
    "put_meta": 1,
    "meta": 1,
    "delete_meta": 1,
}
"""The operations, and how often each is chosen."""
WHO = ["p1", "p2", "p3"]
RESULTS = ["$1", "$2", "$3", ["$1", "$3"], "$$", True, "hit"]


class Failed(Exception):
    """A guard that fails."""


class Model:
    """A registry as a list of `[key, owner, value]`, oldest first."""

    def __init__(self, keys: str, listens: bool) -> None:
        self.unique = keys == "unique"
        self.listens = listens
        self.entries: list[list[Any]] = []
        self.met: set[str] = set()
        self.dead: set[str] = set()
        self.meta: dict[str, Any] = {}

    def do(self, step: Mapping[str, Any]) -> tuple[Any, list[Any]]:
        """What an operation returns, and what listeners hear."""
        who = step.get("who")
        if step["op"] in ("register", "unregister", "unregister_match", "update_value"):
            if who in self.dead:
                return "dead", []
            self.met.add(str(who))
        act: Callable[..., Any] = getattr(self, step["op"])
        told: list[Any] = []
        answer = act(step, told)
        return answer, told if self.listens else []

    def register(self, step: Mapping[str, Any], told: list[Any]) -> Any:
        key, who, value = step["key"], step["who"], step["value"]
        if self.unique and (held := self._under(key)):
            return ["error", ["already_registered", held[0][1]]]
        self.entries.append([key, who, value])
        told.append(["register", key, who, value])
        return ["ok", "registry"]

    def unregister(self, step: Mapping[str, Any], told: list[Any]) -> Any:
        key, who = step["key"], step["who"]
        self.entries = [e for e in self.entries if not (exact(e[0], key) and e[1] == who)]
        told.append(["unregister", key, who])
        return "ok"

    def unregister_match(self, step: Mapping[str, Any], told: list[Any]) -> Any:
        key, who = step["key"], step["who"]
        gone = [e for e in self._under(key) if e[1] == who and self._fits(step, e)]
        self.entries = [e for e in self.entries if not any(e is each for each in gone)]
        if not any(e[1] == who for e in self._under(key)):
            told.append(["unregister", key, who])
        return "ok"

    def update_value(self, step: Mapping[str, Any], _: list[Any]) -> Any:
        if not self.unique:
            return ["raise", "ArgumentError"]
        for entry in self._under(step["key"]):
            if entry[1] == step["who"]:
                if step["fun"][0] == "raise":
                    return ["raise", "RuntimeError"]
                old, entry[2] = entry[2], step["fun"][1]
                return [entry[2], old]
        return "error"

    def lookup(self, step: Mapping[str, Any], _: list[Any]) -> Any:
        return [e[1:] for e in self._under(step["key"])]

    def values(self, step: Mapping[str, Any], _: list[Any]) -> Any:
        return [e[2] for e in self._under(step["key"]) if e[1] == step["who"]]

    def keys(self, step: Mapping[str, Any], _: list[Any]) -> Any:
        return by_erlang([e[0] for e in self.entries if e[1] == step["who"]])

    def count(self, _step: Mapping[str, Any], _: list[Any]) -> Any:
        return len(self.entries)

    def match(self, step: Mapping[str, Any], _: list[Any]) -> Any:
        return by_text([e[1:] for e in self._under(step["key"]) if self._fits(step, e)])

    def count_match(self, step: Mapping[str, Any], told: list[Any]) -> Any:
        return len(self.match(step, told))

    def select(self, step: Mapping[str, Any], _: list[Any]) -> Any:
        found = []
        for entry in self.entries:
            for head, guards, (body,) in step["spec"]:
                bound: dict[str, Any] = {}
                if fits(head, entry, bound) and all(holds(each, bound) for each in guards):
                    found.append(filled(body, bound))
                    break
        return by_text(found)

    def count_select(self, step: Mapping[str, Any], told: list[Any]) -> Any:
        return sum(each is True for each in self.select(step, told))

    def dispatch(self, step: Mapping[str, Any], told: list[Any]) -> Any:
        entries = self.lookup(step, told)
        return ["ok", [entries] if entries else []]

    def kill(self, step: Mapping[str, Any], _: list[Any]) -> Any:
        who = step["who"]
        if who not in self.met or who in self.dead:
            return "no_process"
        self.dead.add(who)
        self.entries = [e for e in self.entries if e[1] != who]
        return "ok"

    def put_meta(self, step: Mapping[str, Any], _: list[Any]) -> Any:
        self.meta[json.dumps(step["key"])] = step["value"]
        return "ok"

    def meta_of(self, step: Mapping[str, Any]) -> Any:
        key = json.dumps(step["key"])
        return ["ok", self.meta[key]] if key in self.meta else "error"

    def delete_meta(self, step: Mapping[str, Any], _: list[Any]) -> Any:
        self.meta.pop(json.dumps(step["key"]), None)
        return "ok"

    def _under(self, key: Any) -> list[list[Any]]:
        return [entry for entry in self.entries if exact(entry[0], key)]

    def _fits(self, step: Mapping[str, Any], entry: list[Any]) -> bool:
        bound: dict[str, Any] = {}
        guards = step.get("guards", [])
        return fits(step["pattern"], entry[2], bound) and all(holds(g, bound) for g in guards)


def exact(one: Any, other: Any) -> bool:
    """`=:=` between JSON values: their texts are the same, whatever order their keys have."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def fits(shape: Any, value: Any, bound: dict[str, Any]) -> bool:
    """Whether `value` matches `shape`, whose variables go into `bound`."""
    if shape == "_":
        return True
    if isinstance(shape, str) and shape.startswith("$"):
        return exact(bound.setdefault(shape, value), value)
    if isinstance(shape, list):
        return (
            isinstance(value, list)
            and len(shape) == len(value)
            and all(fits(part, each, bound) for part, each in zip(shape, value, strict=True))
        )
    if isinstance(shape, dict):
        return isinstance(value, dict) and all(
            key in value and fits(part, value[key], bound) for key, part in shape.items()
        )
    return exact(shape, value)


def holds(guard: Any, bound: dict[str, Any]) -> bool:
    """Whether a guard is true."""
    try:
        return worked_out(guard, bound) is True
    except Failed:
        return False


def worked_out(term: Any, bound: dict[str, Any]) -> Any:
    """What an expression comes to; raises `Failed`."""
    if isinstance(term, str) and term.startswith("$"):
        return bound[term]
    if not isinstance(term, list):
        return term
    operator, *parts = term
    one = worked_out(parts[0], bound)
    if operator in ("andalso", "orelse"):
        if not isinstance(one, bool):
            raise Failed
        return worked_out(parts[1], bound) if one is (operator == "andalso") else one
    if operator == "not":
        if not isinstance(one, bool):
            raise Failed
        return not one
    kinds = {"is_integer": int, "is_binary": str, "is_list": list}
    if operator in kinds:
        return type(one) is kinds[operator]
    other = worked_out(parts[1], bound)
    if operator in ("+", "rem"):
        wanted = (int,) if operator == "rem" else (int, float)
        if type(one) not in wanted or type(other) not in wanted:
            raise Failed
        return one + other if operator == "+" else one % other
    if operator == "=:=":
        return exact(one, other)
    low, high = place(one), place(other)
    table = {"==": low == high, "/=": low != high, ">": low > high, "<": low < high}
    return {**table, "=<": low <= high, ">=": low >= high}[operator]


def place(value: Any) -> Any:
    """A key that sorts as Erlang's order of terms does, as far as the scenarios go."""
    if isinstance(value, bool) or value is None:
        return (1, str(value))
    if isinstance(value, int | float):
        return (0, value)
    if isinstance(value, dict):
        return (2, len(value), [(k, place(v)) for k, v in sorted(value.items())])
    if isinstance(value, list):
        return (3, [place(each) for each in value])
    return (4, value)


def filled(body: Any, bound: dict[str, Any]) -> Any:
    """A result with values for its variables."""
    if body == "$$":
        return [bound[name] for name in sorted(bound)]
    if isinstance(body, list):
        return [filled(each, bound) for each in body]
    return bound.get(body, body) if isinstance(body, str) else body


def by_text(found: list[Any]) -> list[Any]:
    """Sorted by their JSON texts."""
    return sorted(found, key=lambda each: json.dumps(each, ensure_ascii=False))


def by_erlang(found: list[Any]) -> list[Any]:
    """Sorted as the runner sorts keys: numbers, lists, then texts."""
    return sorted(found, key=lambda each: (place(each), repr(each)))


def scenario(seed: int) -> dict[str, Any]:
    """A random case, with what the model makes of it."""
    dice = random.Random(seed)
    options: dict[str, Any] = {"keys": dice.choice(["unique", "duplicate"])}
    listens = dice.random() < 0.5
    steps: list[dict[str, Any]] = []
    if listens:
        options["listeners"] = ["ear"]
        steps.append({"do": {"op": "listen", "name": "ear"}, "return": "ok"})
    model = Model(options["keys"], listens)
    for _ in range(dice.randrange(5, 40)):
        step = _operation(dice)
        if step["op"] == "meta":
            answer = model.meta_of(step)
            told: list[Any] = []
        else:
            answer, told = model.do(step)
        recorded = {"do": step, "return": json.loads(json.dumps(answer))}
        steps.append(recorded | ({"heard": {"ear": told}} if told else {}))
    return {"name": f"seed {seed}", "registry": options, "steps": steps}


def _operation(dice: random.Random) -> dict[str, Any]:
    key, who, value = dice.choice(KEYS), dice.choice(WHO), dice.choice(VALUES)
    matching: dict[str, Any] = {"key": key, "pattern": dice.choice(PATTERNS)}
    if "$1" in json.dumps(matching["pattern"]) and dice.random() < 0.6:
        matching["guards"] = dice.sample(GUARDS, dice.randrange(1, 3))
    chosen = dice.choices(list(OPERATIONS), list(OPERATIONS.values()))[0]
    by_key = {"op": chosen, "key": key}
    match chosen:
        case "register":
            return {**by_key, "who": who, "value": value}
        case "unregister" | "values":
            return {**by_key, "who": who}
        case "update_value":
            return {**by_key, "who": who, "fun": dice.choice([["const", value], ["raise"]])}
        case "keys" | "kill":
            return {"op": chosen, "who": who}
        case "count":
            return {"op": chosen}
        case "match" | "count_match":
            return {"op": chosen, **matching}
        case "unregister_match":
            return {"op": chosen, "who": who, **matching}
        case "select" | "count_select":
            return {"op": chosen, "spec": [_part(dice) for _ in range(dice.randrange(1, 3))]}
        case "put_meta":
            return {**by_key, "value": value}
    return by_key


def _part(dice: random.Random) -> list[Any]:
    head = [dice.choice(["$1", "$1", "_", "a", 1]), dice.choice(["$2", "_"])]
    head.append(dice.choice(["$3", "$3", "_", 1, ["x", "$3"], {"m": "$3"}]))
    names = [name for name in ("$1", "$2", "$3") if name in json.dumps(head)]
    guards = []
    if "$3" in names and dice.random() < 0.5:
        guards = [json.loads(json.dumps(dice.choice(GUARDS)).replace("$1", "$3"))]
    bodies = [body for body in RESULTS if all(n in names for n in _used(body))]
    return [head, guards, [dice.choice(bodies)]]


def _used(body: Any) -> list[str]:
    return [name for name in ("$1", "$2", "$3") if name in json.dumps(body)]
