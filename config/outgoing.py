"""How an agent behaves on calls that it has placed: the table `[outbound]` of its file.

    [outbound]
    greeting = "Hello, this is the clinic with a reminder."
    voicemail = "leave"                               # or "hang_up"
    message = "This is the clinic. Please call us back. Goodbye."

Errors: `ValueError` in pydantic's errors.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, StringConstraints, model_validator

from aybiza.config.shapes import READABLE
from aybiza.config.tables import TABLE

Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1_000), READABLE]


class Outgoing(BaseModel):
    """See the module. The message is fixed: what is left on a machine is what stands here."""

    model_config = TABLE

    greeting: Annotated[Words, StringConstraints(max_length=500)] = ""
    """The first words to a person; left out: the agent's greeting."""
    instructions: Words = ""
    """What the model is told of such calls, beside that it has placed this one."""
    speaks_first: bool = False
    """Whether the agent speaks as soon as somebody has answered, or waits for their hello."""
    hello_seconds: Annotated[float, Field(ge=1, le=10)] = 3.0
    """For how long it is waited for words."""
    voicemail: Literal["leave", "hang_up"] = "hang_up"
    """What is done when a machine has answered: leave the message behind its beep, or hang up."""
    message: Words = ""
    """What is left on a machine, in whole and word for word."""

    @model_validator(mode="after")
    def _has_its_message(self) -> Self:
        if self.voicemail == "leave" and not self.message:
            raise ValueError('voicemail = "leave" needs a message')
        return self
