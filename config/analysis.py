"""What is made of an agent's calls: the table `[analysis]` of its file.

    [analysis]
    summary = true                                  a model sums each call up when it is over
    summary_prompt = "Outcome and action items."    what it is to tell
    sentiment = true                                how callers sound, by a lexicon of English
    data = { type = "object", … }                   what a model is to find in it, a JSON Schema

    [analysis.intents]                              what a turn of the caller is about
    booking = ["appointment", "book"]               if one of these words stands in it

    [[analysis.offers]]                             what the agent offers of its own accord
    when = "unhappy"                                or "repeats"
    offer = "to put the caller through to a person"

Figures (who talked when, response times, quality of the line, a score) come with any such table.

Errors: `ValueError` in pydantic's errors. Source: specification 002, "analysisPlan".
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field, StringConstraints, field_validator

from aybiza.config.shapes import shaped
from aybiza.config.tables import TABLE

LEXICON: Final = "vaderSentiment"
SCHEMA_CHARACTERS: Final = 16_000
PROMPT_CHARACTERS: Final = 2_000

Name = Annotated[
    str, shaped("[a-z][a-z0-9_]{0,63}", "a name of small letters, digits and _, 64 at most")
]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class Offer(BaseModel):
    """What the agent offers of its own accord, once in a while."""

    model_config = TABLE

    when: Literal["unhappy", "repeats"]
    """`unhappy`: the caller's last turns sound so; `repeats`: they say much the same again."""
    after: Annotated[int, Field(ge=1, le=5)] = 1
    """How many turns have to be so."""
    offer: Text
    """What the model is told to offer, such as "to put the caller through to a person"."""


class Analysis(BaseModel):
    """See the module."""

    model_config = TABLE

    summary: bool = True
    """Whether a model sums each call up."""
    summary_prompt: Annotated[
        str, StringConstraints(strip_whitespace=True, max_length=PROMPT_CHARACTERS)
    ] = ""
    """What a summary is to tell, such as "Outcome and action items"; left out: what the caller
    wanted, what was done, what is open."""
    sentiment: bool = False
    """Whether each turn of the caller is judged by a lexicon, which is English."""
    data: dict[str, Any] = {}
    """What a model is to find in each call: the JSON Schema of an object. Empty: nothing."""
    intents: dict[Name, Annotated[tuple[Words, ...], Field(strict=False)]] = {}
    """What a turn may be about, by the words that tell it; the first that fits counts."""
    offers: Annotated[tuple[Offer, ...], Field(max_length=10, strict=False)] = ()
    """What the agent offers of its own accord."""

    @property
    def asks_a_model(self) -> bool:
        """Whether a model is asked when a call is over."""
        return self.summary or bool(self.data)

    @property
    def judges_turns(self) -> bool:
        """Whether anything is to be told of each turn."""
        return self.sentiment or bool(self.intents)

    @field_validator("sentiment")
    @classmethod
    def _has_its_lexicon(cls, wanted: bool) -> bool:
        if wanted and find_spec(LEXICON) is None:
            raise ValueError("the lexicon is not installed: pip install 'aybiza[analysis]'")
        return wanted

    @field_validator("data")
    @classmethod
    def _is_a_schema(cls, schema: dict[str, Any]) -> dict[str, Any]:
        if not schema:
            return schema
        from aybiza.config.json_schema import as_json, validator

        if schema.get("type") != "object":
            raise ValueError('the schema has to be that of an object: type = "object"')
        validator(schema, "the schema")
        if len(as_json(schema) or "") > SCHEMA_CHARACTERS:
            raise ValueError(f"the schema has more than {SCHEMA_CHARACTERS} characters")
        return schema

    @field_validator("offers")
    @classmethod
    def _can_be_told(cls, offers: tuple[Offer, ...], info: Any) -> tuple[Offer, ...]:
        if any(one.when == "unhappy" for one in offers) and not info.data.get("sentiment"):
            raise ValueError('"unhappy" is told by sentiment = true')
        return offers
