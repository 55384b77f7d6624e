"""What the model behind an id accepts and costs.

Purpose: the request builder drops what a model would refuse, and a request has a price. Contract:
`profile_of(model_id)` always answers; an id that is not in the catalogue gets what every model
accepts (no thinking, no sampling parameter, the smallest output limit) and no price, for unknown
ids are refused where a node starts. Errors: none.
Source: `config/models.toml`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aybiza.config.catalogue import Catalogue, Model, Prices, Scores, shipped

# Read when a node is put together, never while it carries calls.
SHIPPED: Final = shipped()

_SMALLEST_OUTPUT_LIMIT: Final = 4_096
_SMALLEST_CONTEXT: Final = 200_000


@dataclass(frozen=True, slots=True)
class ModelProfile:
    """A model as requests name it.

    id: the id that goes into a request. model: what the catalogue says of it. surcharge_percent:
    how much more this id costs than the catalogue's prices. known: False for an id that the
    catalogue does not have.
    """

    id: str
    model: Model
    surcharge_percent: int = 0
    known: bool = True


def profile_of(model_id: str, catalogue: Catalogue = SHIPPED) -> ModelProfile:
    """The profile of a model id, inference-profile id, ARN, or another name of one."""
    model = catalogue.find(model_id)
    if model is None:
        return ModelProfile(model_id, _unknown(catalogue.split(model_id)[1]), known=False)
    return ModelProfile(model_id, model, catalogue.surcharge_percent(model_id))


def _unknown(base_id: str) -> Model:
    return Model.model_construct(
        id=base_id,
        name=base_id,
        tier="balanced",
        scores=Scores(intelligence=1, speed=1, cost=1),
        context=_SMALLEST_CONTEXT,
        max_output=_SMALLEST_OUTPUT_LIMIT,
        prices=Prices(input=0, output=0),
        sampling="none",
        forced_tools=False,
    )
