"""How a setting is declared, and what each kind of value accepts."""

from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from aybiza.config import fields
from aybiza.config.tables import LENIENT


class Declared(BaseModel):
    """One setting of each kind."""

    model_config = ConfigDict(populate_by_name=True)

    whole: int = fields.number("WHOLE", 5, 1, 9, "A whole number.")
    part: float = fields.number("PART", 0.5, 0, 1, "A number.")
    switch: bool = fields.flag("SWITCH", True, "A switch.")
    key: fields.Secret | None = fields.secret("KEY", "A key.")
    made: str = fields.setting("MADE", ..., "any text", "Made.", default_factory=lambda: "made")


def declared(name: str) -> Any:
    return Declared.model_fields[name].json_schema_extra


def test_a_declaration_carries_variable_default_and_words() -> None:
    field = Declared.model_fields["whole"]
    assert (field.validation_alias, field.default, field.description) == (
        "WHOLE",
        5,
        "A whole number.",
    )
    assert declared("whole") == {"allowed": "a whole number from 1 to 9", "hidden": False}
    assert declared("part") == {"allowed": "a number from 0 to 1", "hidden": False}
    assert declared("switch") == {"allowed": "true or false", "hidden": False}
    assert declared("key")["hidden"] is True


def test_a_default_may_be_made_when_it_is_needed() -> None:
    assert Declared().made == "made"


@pytest.mark.parametrize("value", [0, 10, "x", 1.5])
def test_a_number_out_of_bounds_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        Declared.model_validate({"WHOLE": value})


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (fields.Text, ["x"], [""]),
        (fields.Secret, ["abc", "!~"], ["", "a b", "ä", "a\n"]),
        (fields.Region, ["us-east-1", "us-gov-west-1", "ap-southeast-12"], ["us", "us-east", "1"]),
        (fields.ModelId, ["a.b", "a.b-1-v1:0", "arn:aws:bedrock:x"], ["a", "a b.c", ".", "a."]),
        (fields.Interface, ["0.0.0.0", "::1"], ["localhost", "1.2.3", "127.0.0.1:80"]),
        (fields.Network, ["10.0.0.0/8", "::1", "127.0.0.1"], ["10.0.0.1/8", "host", "1.2.3.4/33"]),
        (fields.NodeName, ["a", "7", "a_b-c", "x" * 63], ["", "-a", "a@b", "x" * 64]),
        (fields.MetricsNamespace, ["Calls", "Own/Calls"], ["AWS/Calls", "aws/x"]),
        (fields.HttpUrl, ["http://h", "https://h:1/p"], ["h", "ws://h", "http://", "http://h:x"]),
        (fields.WebsocketUrl, ["ws://h", "wss://h:1"], ["http://h", "ws://", "ws://h:70000"]),
        (fields.PublicUrl, ["https://h", "wss://h/p"], ["https://h/?q", "https://h#f", "h"]),
        (fields.RedisUrl, ["redis://h", "rediss://u:p@h/0", "unix:///s"], ["http://h", "redis://"]),
        (fields.AbsolutePath, ["/x", "~/x"], ["x", "./x", "~nobody-there/x"]),
    ],
)
def test_a_kind_accepts_what_it_means_and_nothing_else(
    kind: Any, good: list[str], bad: list[str]
) -> None:
    adapter = TypeAdapter(kind, config=LENIENT)
    for value in good:
        assert adapter.validate_python(value)
    for value in bad:
        with pytest.raises(ValidationError):
            adapter.validate_python(value)


@pytest.mark.parametrize(
    ("host", "is_one"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("LOCALHOST", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("localhost.example.org", False),
        ("", False),
    ],
)
def test_a_loopback_address_is_known_by_all_its_names(host: str, is_one: bool) -> None:
    assert fields.is_loopback(host) == is_one
