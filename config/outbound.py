"""Calls that the node places: who may be called, when and how often; and campaigns. TOML files.

    own_numbers = ["+14155550100"]       # of your account; a call shows one of these, and no other
    opt_in = "opt_in.csv"                # who has agreed to be called: a number a line
    do_not_call = "do_not_call.csv"      # who is never called, whatever else says so
    holidays = [2026-12-25]

    [hours]                              # by the clock of whoever is called
    monday = ["09:00-18:00"]

    [limits]
    attempts_a_day = 1

`load_rules(path)` reads this (AYBIZA_OUTBOUND_FILE) with its lists. A campaign is a file of its
own, `load_campaign(path)`: `name`, `agent`, `from`, `numbers` (a CSV file, or the numbers
themselves), and `hours`, `holidays` and `limits` that may be stricter than the node's: a call has
to be allowed by both. A CSV file has its numbers in the column `number`, or in the first one.

Contract: both read files and phone numbers' tables: call them in a thread once the event loop has
calls to carry. Errors: `OutboundError` names the file, the line, each wrong value and what is wrong
with it; `NumbersMissing` as in `aybiza.config.phone_numbers`.
"""

from __future__ import annotations

import csv
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from aybiza.config.agents import Number
from aybiza.config.caller_number import bare
from aybiza.config.file_names import path_of
from aybiza.config.hours import Hours
from aybiza.config.kinds import wanted
from aybiza.config.languages import Word
from aybiza.config.meant import meant
from aybiza.config.phone_numbers import Called, NumberError, called
from aybiza.config.routes import RouteName, Stamp, stamps
from aybiza.config.table_faults import shown
from aybiza.config.tables import TABLE
from aybiza.config.toml_file import TomlError, read_toml
from aybiza.config.toml_lines import line_of, placed

MOST_LISTED: Final = 1_000_000
MOST_OF_A_CAMPAIGN: Final = 20_000
MOST_PROBLEMS: Final = 20
MOST_BYTES: Final = 64 * 1024 * 1024

_E164: Final = re.compile(r"\+[1-9][0-9]{3,14}\Z", re.ASCII)
Model = TypeVar("Model", bound="_Table")
Day = Annotated[date, Field(strict=False)]
Holidays = Annotated[tuple[Day, ...], Field(max_length=1_000, strict=False)]


class OutboundError(ValueError):
    """The file cannot be used; `problems` has a line for each fault."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class _Table(BaseModel):
    model_config = ConfigDict(**TABLE, populate_by_name=True)


class Limits(_Table):
    """How often, how fast, how many. Days are those of whoever is called."""

    attempts_a_day: Annotated[int, Field(ge=1, le=10)] = 1
    """Attempts to reach a number on one day."""
    attempts: Annotated[int, Field(ge=1, le=100)] = 3
    """Attempts to reach it in one campaign, or by single calls in thirty days."""
    spacing_minutes: Annotated[int, Field(ge=1, le=43_200)] = 120
    """From the beginning of one attempt to the next."""
    concurrency: Annotated[int, Field(ge=1, le=1_000)] = 5
    """Calls at a time."""
    calls_a_second: Annotated[float, Field(gt=0, le=100)] = 1.0
    """Calls that are begun in a second, on the average; carriers begin with 1."""
    ring_seconds: Annotated[int, Field(ge=5, le=120)] = 30
    """How long it rings before nobody has answered."""


class RulesFile(_Table):
    """The node's file."""

    own_numbers: Annotated[tuple[Number, ...], Field(min_length=1, max_length=1_000, strict=False)]
    """The numbers of the account at the carrier: a call comes from one of these."""
    carrier: Literal["twilio", "signalwire"] = "twilio"
    """Which carrier places the calls."""
    opt_in: str
    """A CSV file: who has agreed to be called."""
    do_not_call: str
    """A CSV file: who is never called."""
    detect: Literal["here", "carrier"] = "here"
    """Who finds out whether a machine has answered: this node, by what it hears, or the carrier,
    whose verdict is taken beside."""
    hours: Hours = {}
    """When people may be called, by their clock; without any: always."""
    holidays: Holidays = ()
    """Days on which nobody is called, by their calendar."""
    limits: Limits = Limits()


class CampaignFile(_Table):
    """A campaign's file."""

    name: RouteName
    """Its name; its attempts are counted by it."""
    agent: Word
    """Who speaks: a route of the node, or its agent's name."""
    from_number: Annotated[Number, Field(alias="from")]
    """The number that is shown, one of `own_numbers`."""
    numbers: Annotated[tuple[str, ...], Field(max_length=MOST_OF_A_CAMPAIGN, strict=False)] | str
    """Who is called: the numbers, or a CSV file."""
    hours: Hours = {}
    holidays: Holidays = ()
    limits: Limits = Limits(attempts_a_day=10, attempts=3, spacing_minutes=1, concurrency=1_000)
    """Those of the node hold besides."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The node's rules with their lists. `files`: those that were read, as they were then."""

    file: RulesFile
    opt_in: frozenset[str] = field(repr=False)
    do_not_call: frozenset[str] = field(repr=False)
    files: dict[Path, Stamp] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign with its numbers, each once, in the order of the file."""

    file: CampaignFile
    numbers: tuple[Called, ...] = field(repr=False)

    @property
    def name(self) -> str:
        """Its name."""
        return self.file.name


def load_rules(path: Path) -> Rules:
    """See the module."""
    found = stamps([path])
    file = _read(path, RulesFile)
    lists: list[frozenset[str]] = []
    problems: list[str] = []
    for key in ("opt_in", "do_not_call"):
        source = path.parent / path_of(getattr(file, key))
        found |= stamps([source])
        numbers = set()
        for line, text in _listed(source, problems, MOST_LISTED):
            number = bare(text)
            if _E164.match(number):
                numbers.add(number)
            else:
                problems.append(f"{source}:{line}: {shown(text)}: write it as +14155552671")
        lists.append(frozenset(numbers))
    if problems:
        raise OutboundError(_some(problems))
    opt_in, do_not_call = lists
    return Rules(file, opt_in, do_not_call, found)


def load_campaign(path: Path) -> Campaign:
    """See the module."""
    file = _read(path, CampaignFile)
    problems: list[str] = []
    if isinstance(file.numbers, str):
        source = path.parent / path_of(file.numbers)
        listed = list(_listed(source, problems, MOST_OF_A_CAMPAIGN))
    else:
        line = line_of(path.read_text(encoding="utf-8-sig"), ("numbers",)) or 0
        source, listed = path, [(line, text) for text in file.numbers]
    return _with_numbers(file, source, listed, problems)


def spec_of(campaign: Campaign) -> dict[str, Any]:
    """The campaign as JSON, with its numbers; `campaign_of` reads it back."""
    spec = campaign.file.model_dump(mode="json", by_alias=True)
    return {**spec, "numbers": [one.number for one in campaign.numbers]}


def campaign_of(spec: dict[str, Any]) -> Campaign:
    """See `spec_of`. Raises OutboundError."""
    try:
        file = CampaignFile.model_validate(spec)
    except ValidationError as error:
        problems = [_problem(Path("campaign"), "", CampaignFile, one) for one in error.errors()]
        raise OutboundError(list(dict.fromkeys(problems))) from None
    if isinstance(file.numbers, str):
        raise OutboundError(["campaign: numbers has to be a list"])
    return _with_numbers(file, Path(file.name), [(0, text) for text in file.numbers], [])


def _with_numbers(
    file: CampaignFile, source: Path, listed: list[tuple[int, str]], problems: list[str]
) -> Campaign:
    numbers: dict[str, Called] = {}
    for line, text in listed:
        try:
            number = called(text)
        except NumberError as error:
            problems.append(f"{source}{f':{line}' if line else ''}: {error}")
            continue
        numbers.setdefault(number.number, number)
    if not numbers and not problems:
        problems.append(f"{source}: there is no number in it")
    if problems:
        raise OutboundError(_some(problems))
    return Campaign(file, tuple(numbers.values()))


def _some(problems: list[str]) -> list[str]:
    more = len(problems) - MOST_PROBLEMS
    return [*problems[:MOST_PROBLEMS], *([f"and {more} more"] if more > 0 else [])]


def _listed(path: Path, problems: list[str], most: int) -> Iterator[tuple[int, str]]:
    """The numbers of a CSV file with their lines; what stands in the way goes to the problems."""
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            problems.append(f"{path}: is no file")
            return
        if about.st_size > MOST_BYTES:
            problems.append(f"{path}: is larger than {MOST_BYTES // 1024 // 1024} MB")
            return
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            column, count = 0, 0
            for row in reader:
                head = [cell.strip().lower() for cell in row]
                if reader.line_num == 1 and ("number" in head or not _has_digit(row)):
                    column = head.index("number") if "number" in head else 0
                    continue
                cell = row[column].strip() if len(row) > column else ""
                if not cell or cell.startswith("#"):
                    continue
                count += 1
                if count > most:
                    problems.append(f"{path}: has more than {most} numbers")
                    return
                yield reader.line_num, cell
    except OSError as error:
        problems.append(f"{path}: cannot be read: {error.strerror}")
    except (UnicodeDecodeError, csv.Error) as error:
        problems.append(f"{path}: is no CSV file in UTF-8: {error}")


def _has_digit(row: list[str]) -> bool:
    return any(character.isdigit() for cell in row for character in cell)


def _read(path: Path, model: type[Model]) -> Model:
    try:
        text, table = read_toml(path)
        return model.model_validate(table)
    except TomlError as error:
        problems = [str(error)]
    except ValidationError as error:
        problems = [_problem(path, text, model, detail) for detail in error.errors()]
    raise OutboundError(list(dict.fromkeys(problems))) from None


def _problem(path: Path, text: str, model: type[_Table], detail: Any) -> str:
    loc = tuple(part for part in detail["loc"] if part != "[key]" and not _is_of_a_union(part))
    name = ".".join(map(str, loc))
    place = placed(path, text, loc)
    if detail["type"] == "missing":
        return f"{place}: {name} is missing"
    if detail["type"] == "extra_forbidden":
        return f"{place}: {name} is not known{meant(model, loc)}"
    return f"{place}: {name} = {shown(detail['input'])}: {wanted(detail)}"


def _is_of_a_union(part: Any) -> bool:
    """Whether pydantic names by it which kind of value was tried."""
    return part == "str" or (isinstance(part, str) and part.startswith(("tuple[", "function-")))
