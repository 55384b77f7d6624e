"""A key that is not known is told with those of the table that it stands in."""

from __future__ import annotations

from aybiza.config.agents import Agent
from aybiza.config.meant import keys_at, meant
from aybiza.config.outbound import CampaignFile
from aybiza.config.routes import RoutesFile
from tests.cases import each


@each(
    [
        (Agent, ("greting",), "; did you mean greeting?"),
        (Agent, ("recording", "consnt"), "; did you mean consent?"),
        (Agent, ("menus", "main", "promt"), "; did you mean prompt?"),
        (Agent, ("menus", "main", "keys", "1", "transfr"), "; did you mean transfer?"),
        (Agent, ("analysis", "offers", 0, "wenn"), "; did you mean when?"),
        (Agent, ("speaks", "es", "closng"), "; did you mean closing?"),
        (Agent, ("recording", "x"), "; there are: consent, key, by_number"),
        (Agent, ("nowhere", "x"), ""),
        (RoutesFile, ("routes", "sales", "tennant"), "; did you mean tenant?"),
        (CampaignFile, ("form",), "; did you mean from?"),
    ]
)
def test_the_nearest_key_is_that_of_the_same_table(model: type, loc: tuple[str], told: str) -> None:
    assert meant(model, loc) == told


def test_what_leads_nowhere_has_no_keys() -> None:
    assert keys_at(Agent, ("greeting", "x", 5)) == []
