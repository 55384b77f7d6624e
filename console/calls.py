"""`aybiza calls`: the calls of a node; `calls list | show | export | forget`: those in memory;
`calls table` makes the table of DynamoDB.

What is in memory is read from the stores that `AYBIZA_MEMORY` names, without a node. Callers'
numbers are hidden but for two digits, unless `--numbers` asks for them.

Exit codes: 0; 1 if a store cannot be read, a call is not found, or something could not be
forgotten; 2 for an option or setting that is wrong, or where calls are kept in nodes alone.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from aybiza.console import (
    USAGE_ERROR,
    audit,
    call_analysis,
    follow,
    operate,
    outbound_ledger,
    recordings,
)
from aybiza.console.page import counted, printable, say
from aybiza.console.setup import settings_or_exit

if TYPE_CHECKING:
    from aybiza.actors.memory.calls import Calls
    from aybiza.actors.memory.store import CallRecord, Row, Wanted
    from aybiza.config.settings import Settings
    from aybiza.dialogue.conversation import Conversation

EXAMPLES = """\
Examples:\n
\n
  aybiza calls                                 the calls that a node has now\n
  aybiza calls follow CA01234567               what is said on one, as it is said\n
  aybiza calls list --period 24h --agent desk  those in memory\n
  aybiza calls show CA01234567                 what was said\n
  aybiza calls recording CA01234567 --to a.wav hear it\n
  aybiza calls export --to calls.jsonl         all of them, for other programs\n
  aybiza calls forget --caller +15550100       delete what is known of a caller\n
  aybiza calls table                           make the table of DynamoDB\n
"""
UNFINISHED = "unfinished"
SHOWN_ID = 14
LONGEST_SECONDS = 3650 * 86_400

_ROW = "{:16}  {:8}  {:14}  {:12}  {:>5}  {}"
_ROW_OF_NUMBERS = "{:16}  {:16}  {:9}  {:9}  {:>5}  {}"
"""A number of 15 digits, the longest there is, has room."""

app = typer.Typer(
    epilog=EXAMPLES,
    invoke_without_command=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Caller = Annotated[str | None, typer.Option(help="The caller's number, such as +15550100.")]
AgentName = Annotated[str | None, typer.Option("--agent", help="The agent's name.")]
Outcome = Annotated[
    str | None,
    typer.Option(help=f"How it ended: hangup, goodbye, transfer, silence …, or {UNFINISHED}."),
]
Period = Annotated[
    str | None, typer.Option(help="How far to look back: 30m, 24h or 7d; without it: all.")
]
Redact = Annotated[
    bool, typer.Option("--redact", help="Leave out numbers and addresses that were said.")
]
Numbers = Annotated[bool, typer.Option("--numbers", help="Show callers' numbers.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.callback()
def calls(
    context: typer.Context,
    port: operate.PortOption = None,
    node: operate.CallsNodeOption = None,
    as_json: operate.AsJson = False,
) -> None:
    """Show the calls that the nodes have now; with a command: those in memory."""
    if context.invoked_subcommand is None:
        operate.calls(port, node, as_json)


app.command("follow", epilog="Example: aybiza calls follow CA01234567")(follow.follow)
app.command("recording", epilog="Example: aybiza calls recording CA01234567 --to call.wav")(
    recordings.recording
)
app.command("hangup", epilog="Example: aybiza calls hangup CA01234567")(follow.hangup)


@app.command("list", epilog="Example: aybiza calls list --period 24h --outcome transfer")
def list_(
    caller: Caller = None,
    agent: AgentName = None,
    outcome: Outcome = None,
    period: Period = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most, the newest.")] = 50,
    numbers: Numbers = False,
    as_json: AsJson = False,
) -> None:
    """List calls in memory, the newest first."""
    with _calls_in_memory() as calls:
        found = calls.find(_wanted(caller, agent, outcome, period), limit)
        if as_json:
            typer.echo(json.dumps({"calls": [_described(record, numbers) for record in found]}))
            return
        for line in table(found, numbers):
            typer.echo(line)


@app.command(epilog="Example: aybiza calls show CA01234567")
def show(
    call_id: Annotated[str, typer.Argument(help="The call's id, or how it begins.")],
    numbers: Numbers = False,
    redact: Redact = False,
    as_json: AsJson = False,
) -> None:
    """Show a call in memory: what is known of it, what was made of it, and what was said."""
    from aybiza.actors.memory.withheld import WITHHELD

    with _calls_in_memory() as calls:
        record, rows = _one(calls, call_id)
        rows = _redacted(rows) if redact else rows
        if as_json:
            typer.echo(json.dumps(_whole(record, rows, numbers)))
            return
        told = recordings.recorded(settings_or_exit(), record.call_id, rows)
        for key, value in {**_described(record, numbers), "recorded": told}.items():
            if value not in (None, ""):
                say(printable(f"{key:9} {value}"), 10)
        for key, text in call_analysis.told(_folded(rows).analysis or {}):
            say(printable(f"{key:9} {text}"), 10)
        typer.echo()
        if any(row.entry.get("type") == WITHHELD for row in rows):
            say("what was said is kept nowhere: the agent has health_data", 4)
        for who, text in _folded(rows).transcript():
            say(printable(f"{who:9} {' '.join(text.split())}"), 10)


@app.command(epilog="Example: aybiza calls export --agent desk --to calls.jsonl")
def export(
    caller: Caller = None,
    agent: AgentName = None,
    outcome: Outcome = None,
    period: Period = None,
    to: Annotated[
        Path | None, typer.Option(help="A file that is not there yet; without it: print.")
    ] = None,
    numbers: Numbers = False,
    redact: Redact = False,
) -> None:
    """Export calls in memory with all that was said: a JSON object a line, the newest first."""
    with _calls_in_memory() as calls:
        records = calls.find(_wanted(caller, agent, outcome, period))
        with _written(to) as file:
            for record in records:
                rows = calls.read(record.call_id)
                whole = _whole(record, _redacted(rows) if redact else rows, numbers)
                file.write(json.dumps(whole) + "\n")
        if to is not None:
            say(f"{counted(len(records), 'call')} in {to}", 4)


@app.command(epilog="Example: aybiza calls forget --caller +15550100")
def forget(
    caller: Annotated[str, typer.Option(help="The caller's number, such as +15550100.")],
    as_json: AsJson = False,
) -> None:
    """Delete all that is known of a caller from every store, and say what cannot be deleted."""
    from aybiza.actors.memory.store import Wanted
    from aybiza.actors.outbound.attempt_store import Forgotten
    from aybiza.config.caller_number import bare, is_address
    from aybiza.config.caller_number import told as told_number

    if not is_address(caller):
        shown = printable(caller[:40])
        _refuse(f"--caller: {shown!r} is no number: give the whole of it, such as +15550100")
    if not told_number(bare(caller)):
        _refuse(
            f"--caller: {printable(caller[:40])} stands for a number that is withheld: it is"
            " that of many callers"
        )
    settings = settings_or_exit()
    with _calls_in_memory() as calls:
        told = calls.forget(caller, time.time())
        # Where a store is away nobody can say whose the others are.
        others = settings.recordings is not None and not told.failed
        known = [record.call_id for record in calls.find(Wanted())] if others else []
    kept = list(_kept(settings))
    unrecorded = 0
    try:
        unrecorded = recordings.forgotten(settings, told.call_ids)
        if others and (left := recordings.unclaimed(settings, known)):
            kept.insert(
                0,
                f"{settings.recordings}: {_recordings(left)} of calls that no store has"
                " any more, whoever has called; listen to them, or delete them",
            )
    except OSError as error:
        told.failed["recordings"] = str(error)
    placed = Forgotten(0, [])
    try:
        placed = outbound_ledger.forgotten(settings, bare(caller))
    except OSError as error:
        told.failed["ledger of placed calls"] = str(error)
    told.going_on += placed.going_on
    what = [f"{counted(len(told.call_ids), 'call')}"]
    what += [_recordings(unrecorded)] if unrecorded else []
    what += [_attempts(placed.attempts)] if placed.attempts else []
    what += [f"failed: {store}" for store in told.failed]
    if why := audit.noted(settings, operate.operator(), "forget", ", ".join(what)):
        told.failed["audit trail"] = why
    if as_json:
        about = {"gone": told.gone, "failed": told.failed, "going_on": told.going_on}
        about |= {"recordings": unrecorded, "attempts": placed.attempts}
        typer.echo(json.dumps({**about, "kept": kept}))
    else:
        for store, count in told.gone.items():
            if store not in told.failed:
                say(f"deleted   {counted(count, 'call')} in {store}; {_left(count)}", 10)
        if unrecorded:
            say(f"deleted   {_recordings(unrecorded)}", 10)
        if placed.attempts:
            say(f"deleted   {_attempts(placed.attempts)} to call this number", 10)
        for store, why in told.failed.items():
            say(f"FAILED    {store}: {why}", 10)
        for call_id in told.going_on:
            say(f"GOES ON   {call_id}: its node may write it again; repeat when it is over", 10)
        for line in kept:
            say(f"kept by   {line}", 10)
    raise typer.Exit(1 if told.failed or told.going_on else 0)


@app.command("table", epilog="Example: AYBIZA_MEMORY=redis+dynamodb aybiza calls table")
def make_table() -> None:
    """Make DynamoDB's table of the memory (AYBIZA_DYNAMODB_TABLE), unless it is there."""
    from aybiza.actors.memory.dynamodb_store import DynamoDbStore
    from aybiza.actors.memory.store import StoreError

    store = DynamoDbStore.of(settings_or_exit())
    try:
        made = store.make_table()
    except StoreError as error:
        say(f"aybiza: {error}", 8, err=True)
        raise typer.Exit(1) from None
    finally:
        store.close()
    say(f"{store.name} {'is made' if made else 'is there already'}", 4)


def table(found: "list[CallRecord]", numbers: bool) -> list[str]:
    """The calls, one line each under a header, and how many there are."""
    row = _ROW_OF_NUMBERS if numbers else _ROW
    rows = [
        (
            time.strftime("%Y-%m-%d %H:%M", time.localtime(record.opened)),
            printable(_number(record.caller, numbers)),
            printable(record.agent[: 9 if numbers else 14]),
            printable((record.outcome or UNFINISHED)[: 9 if numbers else 12]),
            str(record.turns),
            printable(record.call_id[:SHOWN_ID]),
        )
        for record in found
    ]
    lines = [("OPENED", "CALLER", "AGENT", "OUTCOME", "TURNS", "CALL"), *rows] if rows else []
    count = f"{counted(len(found), 'call')}"
    return [*(row.format(*line).rstrip() for line in lines), count]


def _left(count: int) -> str:
    if count:
        return "none is left there"
    return "is the number written as `aybiza calls list --numbers` has it?"


def _kept(settings: "Settings") -> Iterator[str]:
    """Who cannot be made to forget from here."""
    from aybiza.actors.memory.sqlite_file import copies

    for copy in copies(str(settings.memory_path)):
        yield f"{copy}: calls as they were before; delete the file when it has been looked at"
    if "sqlite" not in settings.memory and settings.memory_path.exists():
        yield f"{settings.memory_path}: AYBIZA_MEMORY names no sqlite; name it, and say it again"
    if settings.log_transcripts:
        yield "the log: AYBIZA_LOG_TRANSCRIPTS has it tell what is said; delete it where it is kept"
    yield "the carrier, Deepgram, Amazon Bedrock: what their own records hold; delete it there"


@contextmanager
def _calls_in_memory() -> Iterator["Calls"]:
    """Those of the stores. A store that cannot be read is named in the end, with exit code 1."""
    from aybiza.actors.memory.calls import Calls
    from aybiza.actors.memory.store import StoreError
    from aybiza.actors.memory.stores import stores

    settings = settings_or_exit()
    if set(settings.memory) == {"memory"}:
        _refuse("AYBIZA_MEMORY=memory keeps calls in nodes alone, where no command reads them")
    lasting = tuple(name for name in settings.memory if name != "memory")
    made = stores(settings.model_copy(update={"memory": lasting}), looking=True)
    calls = Calls(made)
    try:
        yield calls
    except StoreError:
        raise typer.Exit(1) from None
    finally:
        for store in made:
            store.close()
        others = len(calls.failed) < len(made)
        missing = "; what only this store has is missing" if others else ""
        for why in calls.failed.values():
            say(f"aybiza: {why}{missing}", 8, err=True)
    if calls.failed:
        raise typer.Exit(1)


def _wanted(
    caller: str | None, agent: str | None, outcome: str | None, period: str | None
) -> "Wanted":
    from aybiza.actors.memory.store import Wanted
    from aybiza.claude.performance_trends import seconds_of

    since = None
    if period is not None:
        try:
            since = time.time() - seconds_of(period, LONGEST_SECONDS)
        except ValueError as error:
            _refuse(f"--period: {error}")
    return Wanted(caller, agent, "" if outcome == UNFINISHED else outcome, since)


def _one(calls: "Calls", call_id: str) -> "tuple[CallRecord, list[Row]]":
    from aybiza.actors.memory.store import Wanted

    found = [one for one in calls.find(Wanted()) if one.call_id.startswith(call_id)]
    exact = [one for one in found if one.call_id == call_id]
    if len(exact or found) != 1:
        many = f"{len(found)} calls begin" if found else "no call in memory begins"
        say(f"aybiza: {many} with {call_id}; `aybiza calls list` shows them", 8, err=True)
        raise typer.Exit(1)
    record = (exact or found)[0]
    return record, calls.read(record.call_id)


def _described(record: "CallRecord", numbers: bool) -> dict[str, Any]:
    """The call for people and programs; times are ISO 8601 in UTC."""
    return {
        "call_id": record.call_id,
        "caller": _number(record.caller, numbers),
        "agent": record.agent,
        "tenant": record.tenant,
        "opened": _time(record.opened),
        "updated": _time(record.updated),
        "outcome": record.outcome or UNFINISHED,
        "turns": record.turns,
        "expires": _time(record.expires) if record.expires else None,
    }


def _whole(record: "CallRecord", rows: "list[Row]", numbers: bool) -> dict[str, Any]:
    journal = [{"number": r.number, "at": _time(r.at), "entry": r.entry} for r in rows]
    conversation = _folded(rows)
    return {
        **_described(record, numbers),
        "analysis": conversation.analysis,
        "transcript": [{"who": who, "text": text} for who, text in conversation.transcript()],
        "journal": journal,
    }


def _redacted(rows: "list[Row]") -> "list[Row]":
    """The rows without the numbers and addresses in them."""
    from aybiza.config.redact import without_numbers

    def clean(value: Any) -> Any:
        match value:
            case str():
                return without_numbers(value)
            case dict():
                return {key: clean(each) for key, each in value.items()}
            case list():
                return [clean(each) for each in value]
        return value

    return [row._replace(entry=clean(row.entry)) for row in rows]


def _folded(rows: "list[Row]") -> "Conversation":
    from aybiza.actors.memory.context import fold

    return fold((row.event, row.entry) for row in rows)


def _number(caller: str, numbers: bool) -> str:
    from aybiza.config.redact import masked

    return caller if numbers and caller else masked(caller)


def _time(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def _attempts(count: int) -> str:
    return f"{count} attempt{'' if count == 1 else 's'}"


def _recordings(count: int) -> str:
    return f"{count} recording{'' if count == 1 else 's'}"


@contextmanager
def _written(to: Path | None) -> Iterator[IO[str]]:
    """A new file for its owner alone, or standard output."""
    from aybiza.config.private_files import private_file

    if to is None:
        yield sys.stdout
        return
    if to.exists():
        _refuse(f"--to: {to} is there already; name a new file")
    try:
        private_file(to)
        file = to.open("w", encoding="utf-8")
    except OSError as error:
        _refuse(f"--to: {error}")
    try:
        with file:
            yield file
    except BaseException:
        to.unlink(missing_ok=True)
        raise


def _refuse(why: str) -> NoReturn:
    say(f"aybiza: {why}", 8, err=True)
    raise typer.Exit(USAGE_ERROR)
