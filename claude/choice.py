"""Which model answers a turn of the caller, where, and how long: one value that can be explained.

    policy = Policy.of(settings, catalogue, today=date.today())            # once, at the start
    choice = choose_model(policy, transcript, context, options)            # each turn, pure
    request = converse_request(choice.profile, messages, thinking=choice.thinking,
                               max_tokens=choice.max_tokens, …)
    stream = bedrock.stream(request, region=choice.region)

Contract: a rule (`aybiza.claude.rules`) says what kind of model is wanted; an experiment may say it
for the call; only models that the policy permits are taken, the nearest in tier if the wanted one
is not among them, and the first in the settings' order among equals. `Policy.of` reads a file if
the selection names one; `choose_model` reads nothing and never fails for want of a model.
Errors: `SelectionError` from `Policy.of`, one line a problem.
Source: specification 000, sections 2 and 3 (`handle_user_input`); 001, "Model Selection Strategy".
"""

from __future__ import annotations

import datetime
import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from aybiza.claude.experiments import Assignment, Experiment, SelectionError, assign, parse
from aybiza.claude.models import ModelProfile, determine_max_tokens, downwards, profile_of
from aybiza.claude.regions import REGION_OF_COUNTRY, determine_optimal_region
from aybiza.claude.rules import RULES, Decision, Factor, Question
from aybiza.claude.selection import determine_response_length
from aybiza.claude.thinking import Thinking
from aybiza.config.catalogue import TIERS, Catalogue, Tier
from aybiza.config.model_ids import ModelIdError, resolve
from aybiza.config.rule_sets import BEDROCK_GUIDE, CLAUDE_4_GUIDE
from aybiza.config.settings import Settings

# What thinking before the first word takes from a model's score of speed.
_THINKS_FIRST: Final = 5.0


@dataclass(frozen=True, slots=True)
class Policy:
    """What choices are made by.

    models: those that may be asked, the default first. last: a chat model that is asked when none
    of them answers (`aybiza.claude.chat`). arms: those that experiments ask for, by
    the ids that they are written with. successors: by an id of the specification, the base id that
    stands in for it today. warnings: what was changed about the settings' model ids, to be told
    once.
    """

    models: tuple[ModelProfile, ...]
    catalogue: Catalogue
    rule: str = "configured"
    experiments: tuple[Experiment, ...] = ()
    arms: Mapping[str, ModelProfile] = field(default_factory=dict)
    successors: Mapping[str, str] = field(default_factory=dict)
    region: str = "us-east-1"
    fallback_region: str | None = None
    map_regions: bool = False
    latency_ms: float = 200.0
    thinking_threshold: float = 0.9
    cost_optimize: bool = True
    warnings: tuple[str, ...] = ()
    last: ModelProfile | None = None

    @classmethod
    def of(cls, settings: Settings, catalogue: Catalogue, *, today: datetime.date) -> Self:
        """The policy of a node. Raises SelectionError."""
        ids = _Ids(catalogue, settings.aws_region, today)
        rule, experiments = ids.checked(settings.selection)
        named = [
            ids.profile(
                asked,
                "AWS_BEDROCK_MODELS"
                if asked in settings.aws_bedrock_models
                else "AWS_DEFAULT_BEDROCK_MODEL",
            )
            for asked in settings.models
        ]
        wanted = [
            (arm.model, f"AYBIZA_SELECTION: {experiment.name}, arm {arm.name}")
            for experiment in experiments
            for arm in experiment.arm
            if arm.model is not None
        ]
        arms = {asked: ids.profile(asked, where) for asked, where in wanted}
        if ids.problems:
            raise SelectionError(ids.problems)
        return cls(
            models=tuple({profile.id: profile for profile in named if profile}.values()),
            catalogue=catalogue,
            rule=rule,
            experiments=experiments,
            arms={asked: profile for asked, profile in arms.items() if profile},
            successors=_successors(catalogue, today),
            region=settings.aws_region,
            fallback_region=settings.aws_fallback_region,
            map_regions=settings.cloudflare_region_mapping,
            latency_ms=float(settings.latency_threshold_ms),
            thinking_threshold=settings.extended_thinking_threshold,
            cost_optimize=settings.cost_optimization_enabled,
            warnings=tuple(dict.fromkeys(ids.warnings)),
        )

    def preferring(self, model: str | None, rule: str | None) -> Policy:
        """This policy with `model` before the others and another rule; None: as it is. Raises
        ValueError for a model that may not be asked, and for a rule that there is not."""
        if rule is not None and rule not in RULES:
            raise ValueError(f"model_rule: {_no_such(rule, RULES)}")
        models = self.models
        if model is not None:
            first = [p for p in models if model in (p.id, p.model.id)]
            if not first:
                known = {name for p in models for name in (p.id, p.model.id)}
                raise ValueError(f"model: {_no_such(model, sorted(known))} (AWS_BEDROCK_MODELS)")
            models = (*first, *(p for p in models if p not in first))
        return replace(self, models=models, rule=rule or self.rule)

    @property
    def every(self) -> tuple[ModelProfile, ...]:
        """All models that a choice can name."""
        return tuple({p.id: p for p in (*self.models, *self.arms.values())}.values())

    @property
    def ids(self) -> tuple[str, ...]:
        """Their ids: one circuit breaker each."""
        return tuple(profile.id for profile in self.every)

    @property
    def cheapest(self) -> ModelProfile:
        """Of the models that may be asked the one that costs least."""
        return min(self.models, key=_price)

    def profile(self, model_id: str) -> ModelProfile:
        """The profile of one of these ids, of the last model's, or of any other."""
        named = self.every if self.last is None else (*self.every, self.last)
        known = next((profile for profile in named if profile.id == model_id), None)
        return known or profile_of(model_id, self.catalogue)

    @property
    def fallback(self) -> str | None:
        """The region to turn to when the first one fails; None if not every model may be asked
        from there."""
        away = self.fallback_region
        if away is None or any(self.region_of(profile, away) != away for profile in self.every):
            return None
        return away

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions that a choice can name: one client each, to be warmed."""
        if not self.map_regions:
            return (self.region,)
        mapped = {
            self.region_of(profile, region)
            for profile in self.every
            for region in REGION_OF_COUNTRY.values()
        }
        return (self.region, *sorted(mapped - {self.region}))

    @property
    def speeds(self) -> dict[str, float]:
        """How fast each model is, by id: the catalogue's score, less where it thinks first."""
        return {
            profile.id: profile.model.scores.speed - _THINKS_FIRST * _thinks_first(profile)
            for profile in self.every
        }

    def after(self, chosen: ModelProfile) -> tuple[ModelProfile, ...]:
        """All models that may be asked in this turn, in the order of preference."""
        return downwards(self.models, chosen)

    def region_of(self, profile: ModelProfile, wanted: str) -> str:
        """`wanted`, if the id may be asked from there; else the node's region."""
        prefix, _ = self.catalogue.split(profile.id)
        if profile.id.startswith("arn:") or prefix is None:
            return self.region
        return wanted if self.catalogue.profiles[prefix].serves(wanted) else self.region


def _no_such(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    meant = f"; did you mean {near[0]}?" if near else "."
    return f"there is no {name!r}{meant} There are: {', '.join(known)}"


def _thinks_first(profile: ModelProfile) -> bool:
    return profile.model.no_thinking == "effort"


@dataclass(slots=True)
class _Ids:
    """Model ids of settings on their way to profiles, with what there is to say about them."""

    catalogue: Catalogue
    region: str
    today: datetime.date
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def checked(self, selection: str) -> tuple[str, tuple[Experiment, ...]]:
        try:
            return parse(selection)
        except SelectionError as error:
            self.problems += [f"AYBIZA_SELECTION: {problem}" for problem in error.problems]
            return "configured", ()

    def profile(self, asked: str, where: str) -> ModelProfile | None:
        try:
            found = resolve(self.catalogue, asked, today=self.today, region=self.region)
        except ModelIdError as error:
            self.problems.append(f"{where}: {error}")
            return None
        if found.warning is not None:
            self.warnings.append(found.warning)
        surcharge = self.catalogue.surcharge_percent(found.id)
        return ModelProfile(found.id, found.model, surcharge)


def _successors(catalogue: Catalogue, today: datetime.date) -> dict[str, str]:
    """What each of the specification's ids stands for today."""
    found = {}
    for model_id in (*BEDROCK_GUIDE, *CLAUDE_4_GUIDE):
        try:
            found[model_id] = resolve(catalogue, model_id, today=today).model.id
        except ModelIdError:
            continue
    return found


@dataclass(frozen=True, slots=True)
class Choice:
    """What answers a turn.

    profile: the model, for `converse_request`. region: for `BedrockClient.stream`. max_tokens: for
    the answer alone. words: how long it should be, for the prompt. rule: the rule that decided, and
    `because` how. factors: all that was looked at, in order. experiment: the arm that the call is
    in; to be counted by the caller.
    """

    profile: ModelProfile
    region: str
    thinking: Thinking | None
    max_tokens: int
    words: int
    rule: str
    because: str
    factors: tuple[Factor, ...]
    experiment: Assignment | None = None

    @property
    def model(self) -> str:
        """The id that the request names."""
        return self.profile.id


def choose_model(
    policy: Policy,
    transcript: str,
    context: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Choice:
    """The choice for what the caller has said.

    context: `call_sid`, without which a call is in no experiment; `cloudflare_country`, two
    letters; and what `aybiza.claude.rules.Question` names. options: what that names; `max_tokens`,
    the agent's limit (default 300); `degrade`, True for the cheapest model without thinking;
    `avoid`, ids not to be asked now, unless there is no other.
    """
    context, options = context or {}, options or {}
    call_id = context.get("call_sid")
    arm = assign(policy.experiments, call_id) if isinstance(call_id, str) else None
    rule = arm.rule if arm is not None and arm.rule is not None else policy.rule
    question = Question(
        transcript,
        context,
        options,
        latency_ms=policy.latency_ms,
        thinking_threshold=policy.thinking_threshold,
        cost_optimize=policy.cost_optimize,
    )
    decision = RULES[rule](question)
    profile, says = _profile(policy, decision, arm, options)
    thinking = None if options.get("degrade") else decision.thinking
    if not profile.model.thinking:
        thinking = None
    words = determine_response_length(transcript, context)
    region, region_says = _region(policy, profile, context)
    sizes = {"max_tokens": options.get("max_tokens"), "words": words}
    max_tokens = determine_max_tokens(profile.id, sizes, rules="call")
    assert max_tokens is not None
    factors = (
        *decision.factors,
        *(
            (Factor("experiment", f"{arm.experiment}: {arm.arm}", "by the call's id"),)
            if arm
            else ()
        ),
        Factor("model", profile.id, says),
        Factor("region", region, region_says),
        Factor("answer_words", words, "how long the answer should be"),
    )
    return Choice(
        profile=profile,
        region=region,
        thinking=thinking,
        max_tokens=max_tokens,
        words=words,
        rule=rule,
        because=decision.because,
        factors=factors,
        experiment=arm,
    )


def _profile(
    policy: Policy, decision: Decision, arm: Assignment | None, options: Mapping[str, Any]
) -> tuple[ModelProfile, str]:
    """The model, and why it is this one."""
    avoid = options.get("avoid") or ()
    free = [profile for profile in policy.models if profile.id not in avoid]
    models = free or list(policy.models)
    if options.get("degrade"):
        return min(models, key=_price), "the cheapest that may be asked"
    if arm is not None and arm.model is not None and policy.arms[arm.model].id not in avoid:
        return policy.arms[arm.model], "the arm's model"
    if decision.model is not None:
        return _for_named(policy, decision.model, models)
    if decision.tier is None:
        return models[0], decision.because
    return _nearest(decision.tier, models)


def _for_named(
    policy: Policy, named: str, models: Sequence[ModelProfile]
) -> tuple[ModelProfile, str]:
    """Today's model for one of the specification's."""
    today = policy.successors.get(named)
    for profile in models:
        if profile.model.id == today:
            return profile, f"for {named}"
    tier = profile_of(named, policy.catalogue).model.tier
    profile, says = _nearest(tier, models)
    return profile, f"for {named}, whose successor {today} is not permitted: {says}"


def _nearest(tier: Tier, models: Sequence[ModelProfile]) -> tuple[ModelProfile, str]:
    """The first of the tier, or of the tier next to it, the cheaper one if two are."""
    wanted = TIERS.index(tier)

    def distance(profile: ModelProfile) -> tuple[int, int]:
        at = TIERS.index(profile.model.tier)
        return abs(at - wanted), at

    found = min(models, key=distance)
    if found.model.tier == tier:
        return found, f"the first {tier} one that may be asked"
    return found, f"no {tier} one may be asked; {found.model.tier} is the nearest"


def _price(profile: ModelProfile) -> int:
    # A phone call reads some ten times as much as it says.
    prices = profile.model.prices
    return (prices.input * 10 + prices.output) * (100 + profile.surcharge_percent)


def _region(policy: Policy, profile: ModelProfile, context: Mapping[str, Any]) -> tuple[str, str]:
    country = context.get("cloudflare_country")
    if not policy.map_regions or not isinstance(country, str) or not country:
        return policy.region, "the node's"
    wanted = determine_optimal_region(context, rules="call", home=policy.region)
    region = policy.region_of(profile, wanted)
    if region == wanted:
        return region, f"for {country}"
    return region, f"the node's; {profile.id} cannot be asked from {wanted}"
