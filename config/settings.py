"""Settings: everything that a node reads from its environment, checked once, then unchangeable.

`load()` reads the environment; `Settings(...)` itself never does, so that `Settings()` is the
defaults on any machine. A field has the name of its variable in lower case, without `AYBIZA_`.
An empty variable counts as unset. Secrets are `SecretStr`, and no message shows them.

Errors: `SettingsError` names each wrong variable, its value and what is allowed.
Warnings: `UnknownSettingWarning` for an `AYBIZA_` variable that does not exist.

Source: environment configuration of the specification (000, section 1); model ids of Amazon
Bedrock, "Supported foundation models"; Twilio, "Media Streams" and "Validating requests".
"""

import difflib
import os
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from aybiza.config.call_settings import CallSettings, LogSettings, SpeechSettings
from aybiza.config.carrier_settings import CarrierSettings
from aybiza.config.claude_settings import ClaudeSettings, MoneySettings
from aybiza.config.door_settings import DoorSettings
from aybiza.config.fields import PLACEHOLDER
from aybiza.config.node_settings import NodeSettings
from aybiza.config.record_settings import RecordSettings
from aybiza.config.redact import HIDDEN, hide_url_password

PREFIX = "AYBIZA_"
SHOWN_CHARACTERS = 80


class SettingsError(ValueError):
    """The environment holds values that cannot be used; the text says which and what is allowed.

    `problems` has one line for each of them.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class UnknownSettingWarning(UserWarning):
    """A variable begins with `AYBIZA_` and is none of the settings: probably a misspelling."""


class Settings(
    RecordSettings,
    LogSettings,
    SpeechSettings,
    MoneySettings,
    ClaudeSettings,
    CallSettings,
    NodeSettings,
    CarrierSettings,
    DoorSettings,
    BaseSettings,
):
    """The settings of a node, frozen; the `description` of a field is its meaning, with units."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        case_sensitive=True,
        populate_by_name=True,
        regex_engine="python-re",
        defer_build=False,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is handed in: `load` is the one place that reads the environment."""
        return (init_settings,)


def _variable(field: FieldInfo) -> str:
    return str(field.validation_alias)


FIELDS: Mapping[str, FieldInfo] = {
    _variable(field): field for field in Settings.model_fields.values()
}
"""The field of each environment variable, in the order of this file."""

NAMES: Mapping[str, str] = {_variable(field): name for name, field in Settings.model_fields.items()}
"""The field name of each environment variable."""


def load(env: Mapping[str, str] | None = None) -> Settings:
    """The settings that this environment gives (default: the process's own).

    Raises SettingsError if a value cannot be used. Warns with UnknownSettingWarning of a variable
    that begins with `AYBIZA_` and does not exist, and of one that is a letter or two from another.
    """
    env = os.environ if env is None else env
    for name in sorted(set(env) - set(FIELDS)):
        if name.startswith(PREFIX) or _misspelt(name):
            warnings.warn(_unknown(name), UnknownSettingWarning, stacklevel=2)
    # As texts, which all fields take: a source of pydantic's looks at each field's type, for 6 ms.
    given: dict[str, Any] = {}
    given |= {name: env[name].strip() for name in FIELDS if env.get(name, "").strip()}
    try:
        return Settings(**given)
    except ValidationError as error:
        raise SettingsError(list(dict.fromkeys(_problems(error)))) from None


def allowed(variable: str) -> str:
    """What a setting may hold, in words."""
    return str(_declared(variable)["allowed"])


def is_secret(variable: str) -> bool:
    """Whether the value of a setting must not be shown."""
    return bool(_declared(variable)["hidden"])


def _declared(variable: str) -> dict[str, Any]:
    return cast("dict[str, Any]", FIELDS[variable].json_schema_extra)


_ALMOST: Final = 0.85
"""How alike a name of others and a setting are if the setting is what was meant."""
_OF_OTHERS: Final = ("AYBIZA_", "AWS_", "OTEL_", "XDG_")
"""Beginnings of names that are told apart by other means, or that other programs have many of."""


def _misspelt(name: str) -> bool:
    """Whether this is a setting without our prefix, but for a letter or two.

    >>> _misspelt("TWILIO_AUTH_TOKN"), _misspelt("DEEPGRAM_KEY"), _misspelt("TWILIO_API_KEY")
    (True, True, False)
    """
    family = name.partition("_")[0] + "_"
    known = [each for each in FIELDS if each.startswith(family) and family not in _OF_OTHERS]
    return bool(difflib.get_close_matches(name, known, n=1, cutoff=_ALMOST))


def _unknown(name: str) -> str:
    bare = name.removeprefix("AYBIZA_")
    same = [each for each in FIELDS if each.removeprefix("AYBIZA_") == bare]
    near = same or difflib.get_close_matches(name, FIELDS, n=1)
    return f"{name} is not a setting" + (f"; did you mean {near[0]}?" if near else "")


def _problems(error: ValidationError) -> Iterator[str]:
    parts = {detail["loc"][0] for detail in error.errors() if len(detail["loc"]) > 1}
    for detail in error.errors():
        if len(detail["loc"]) == 1 and detail["loc"][0] in parts:
            continue  # the part that is wrong has its own line
        if detail["type"] == "default_factory_not_called":
            continue  # follows from another wrong value, which has its own line
        if not detail["loc"]:
            yield str(detail["ctx"]["error"])
            continue
        variable = str(detail["loc"][0])
        shown = HIDDEN if is_secret(variable) else _shown(detail["input"], allowed(variable))
        if detail["type"] == PLACEHOLDER:
            yield f"{variable}={shown}: {detail['msg']}"
            continue
        yield f"{variable}={shown}: must be {allowed(variable)}"


def _shown(value: Any, allowed: str) -> str:
    text = hide_url_password(str(value))
    if "URL" in allowed and "@" in text and HIDDEN not in text:  # too broken to be read as one
        text = HIDDEN + text[text.rindex("@") :]
    return repr(text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…")
