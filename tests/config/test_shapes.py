"""What a value has to look like is told in words, in every file that people write."""

from __future__ import annotations

import pytest

from aybiza.config.agents import AgentError, agent_of
from tests.cases import each

DESK = 'name = "Desk"\ngreeting = "Hello."\n'


@each(
    [
        ("fallback_number = '911'", "fallback_number = '911': must be a telephone number with its"),
        ("language = 'English'", "language = 'English': must be a language such as en-US or de"),
        ("type = 'Big Desk'", "type = 'Big Desk': must be a type such as customer_service"),
        ("listen_model = 'Nova 3'", "listen_model = 'Nova 3': must be a recogniser of Deepgram's"),
        ("tools = ['a b']", "tools.0 = 'a b': must be the name of a tool: letters, digits, _"),
        ("zone = 'Europe/Berln'", "names them; did you mean Europe/Berlin?"),
        ("zone = 'Nowhere'", "zone = 'Nowhere': is no time zone as the IANA names them"),
        ("zone = 1", "zone = 1: must be a text, not a whole number"),
        ("hours.monday = ['9-5']", "must be from one time of day to another, such as 09:00-17:30"),
        ("hours.mon = ['09:00-17:00']", "hours.mon: 'mon' should be 'monday', 'tuesday'"),
        ("menus.main.keys.12.say = 'x'", "12: '12' must be one key of a telephone: 0 to 9, * or #"),
        ("recording.by_number.49 = 'told'", "'49' must be the beginning of a number with its"),
        ("analysis.intents.Book-It = ['a']", "'Book-It' must be a name of small letters, digits"),
        ("prompts.a = { text = 'a', tones = 'E' }", "must be keys (0 to 9, *, #, A to D) and"),
        ("busy = 'Later \\u0007.'".replace("'", '"'), "has a control character, '\\x07', which"),
        ('outbound.message = "Hi \\u0000."', "has a control character, '\\x00', which nobody"),
        ("busy = 2020-01-01", "must be a text, not a day"),
    ]
)
def test_a_wrong_text_is_told_in_words_and_never_as_a_pattern(line: str, told: str) -> None:
    with pytest.raises(AgentError) as caught:
        agent_of(DESK + line, "desk.toml")
    (problem,) = [one for one in caught.value.problems if told in one]
    assert problem.startswith("desk.toml:3: ")
    assert "\\Z" not in str(caught.value)
    assert "[key]" not in str(caught.value)
