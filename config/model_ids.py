"""From the model id that somebody wrote down to the one that Bedrock answers to.

Contract: `resolve` is pure; the day is handed in. Another name becomes the real id, a retired model
its successor, a base id that is not served on demand an inference profile of it; whatever was
changed is said in one warning. An id that is good as it stands is not touched, and an ARN goes to
Bedrock as it is.
Errors: `ModelIdError`, in words for people; an unknown id comes with the three nearest.
Source: Bedrock: model ids, inference profiles, model lifecycle.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from aybiza.config.catalogue import Catalogue, Model

NOTICE = datetime.timedelta(days=180)
"""How long before its end a model is warned of."""


class ModelIdError(ValueError):
    """No request can name this model; the text says why and what can be done."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """asked: the id as it was written. id: the one for requests. warning: what was changed, or
    will have to be, None for nothing."""

    asked: str
    id: str
    model: Model
    warning: str | None = None


def resolve(
    catalogue: Catalogue, model_id: str, *, today: datetime.date, region: str | None = None
) -> Resolved:
    """What to ask for when somebody wants `model_id`.

    region: where the requests go; a profile that cannot be asked from there is refused, and a base
    id that needs a profile gets the region's geographic one, so that data stay where they would
    have stayed; without one, `global.`. Raises ModelIdError.
    """
    model = catalogue.find(model_id)
    if model is None:
        raise ModelIdError(_unknown(catalogue, model_id, today))
    prefix, base = catalogue.split(model_id)
    says = ""
    if model_id in catalogue.aliases or base in catalogue.aliases:
        says = f" is another name of {model.id},"
    chosen = model
    while chosen.retired(today):
        assert chosen.successor is not None
        chosen = catalogue.models[chosen.successor]
    if chosen is not model:
        says += f"{' which' if says else ''} was retired by Bedrock on {model.end_of_life}"
    if model_id.startswith("arn:") and chosen is model:
        return Resolved(model_id, model_id, model, _ending(model, today))
    if chosen is model and prefix is not None and prefix not in model.profiles:
        raise ModelIdError(_no_profile(catalogue, model_id, prefix, model))
    if prefix is None or prefix not in chosen.profiles:
        prefix = _prefix(catalogue, chosen, region)
        if prefix is not None and chosen is model:
            says += f"{' which' if says else ''} is served through inference profiles only"
    if prefix is not None and region is not None and not catalogue.profiles[prefix].serves(region):
        served = ", ".join(f"{part}*" for part in catalogue.profiles[prefix].regions)
        raise ModelIdError(
            f"{model_id}: the {prefix}. profile cannot be asked from {region}, only from {served}"
        )
    sent = chosen.id if prefix is None else f"{prefix}.{chosen.id}"
    if sent == model_id:
        return Resolved(model_id, sent, chosen, _ending(chosen, today))
    return Resolved(
        model_id, sent, chosen, f"{model_id}{says.rstrip(',')}; {sent} is asked instead"
    )


def _prefix(catalogue: Catalogue, model: Model, region: str | None) -> str | None:
    """The profile to ask a base id through; None when it needs none."""
    if model.on_demand:
        return None
    near = [
        name
        for name in model.profiles
        if name != "global" and region is not None and catalogue.profiles[name].serves(region)
    ]
    if near:
        # The narrowest one: jp. before apac. in Tokyo.
        return max(near, key=lambda name: len(catalogue.profiles[name].regions[0]))
    return "global" if "global" in model.profiles else model.profiles[0]


def _unknown(catalogue: Catalogue, model_id: str, today: datetime.date) -> str:
    near = ", ".join(catalogue.nearest(model_id, today=today))
    if model_id.startswith("arn:"):
        return (
            f"{model_id}: this ARN does not say which model stands behind it; name it under"
            f" [aliases] in the file that AYBIZA_MODELS_FILE names. Models: {near}, …"
        )
    return (
        f"{model_id}: there is no such model; the nearest are {near}. `aybiza models` lists all;"
        " a newer one can be added in the file that AYBIZA_MODELS_FILE names"
    )


def _no_profile(catalogue: Catalogue, model_id: str, prefix: str, model: Model) -> str:
    have = ", ".join(f"{name}." for name in model.profiles)
    return (
        f"{model_id}: {model.name} has no {prefix}. profile; it has {have} If Bedrock offers it"
        " by now, add it to its profiles in the file that AYBIZA_MODELS_FILE names"
    )


def _ending(model: Model, today: datetime.date) -> str | None:
    if model.end_of_life is None or model.end_of_life - today > NOTICE:
        return None
    return (
        f"{model.id} reaches its end of life on {model.end_of_life};"
        f" its successor is {model.successor}"
    )
