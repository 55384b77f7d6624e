"""Journals in DynamoDB, where they last: in one table, which `make_table` makes.

    call_id (partition), number (sort)    a row; number 0 is the call's head: its owner's epoch, the
                                          number of its last row, and what it is listed with
    index `calls`                         heads by when the call was opened
    index `callers`                       heads by the caller's number

Rows are written in transactions with the head, which must be as it was read: so a node that has
lost a call writes nothing, and a number is given once. What a newer owner has not overwritten yet
is beyond the head's last number, and not read. DynamoDB deletes what has expired by itself
(`expires`). An entry that is longer than an item may be is replaced by one that says so.

Errors: `StoreError` with the table's name. Nothing is tried again here.
Source: specification 001, "Memory Implementation"; DynamoDB: TransactWriteItems, "Limits".
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

from boto3 import Session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from aybiza.actors.memory.store import (
    About,
    CallRecord,
    Claimed,
    Head,
    Part,
    Row,
    StoreError,
    Unreadable,
    Wanted,
    Written,
    dumps,
    entry_of,
    number_of,
    placed,
    told_by,
)
from aybiza.config.aws_answers import bounded
from aybiza.config.settings import Settings

CONNECT_SECONDS: Final = 1.0
READ_SECONDS: Final = 3.0
CONNECTIONS: Final = 8
# Of a transaction's hundred actions one is for the head.
ROWS: Final = 99
ENTRY_BYTES: Final = 350_000
DELETES: Final = 25
CONTENDED: Final = 5
HEADS: Final = 10_000
READY_SECONDS: Final = 60.0

Item = dict[str, Any]

_ABOUT: Final = ("caller", "agent", "tenant")


class DynamoDbStore:
    """See the module and `JournalStore`."""

    def __init__(
        self,
        table: str,
        region: str,
        endpoint_url: str | None = None,
        credentials: Mapping[str, str] | None = None,
    ) -> None:
        self.name = f"DynamoDB table {table}"
        self._table = table
        self._options: dict[str, Any] = {
            "region_name": region,
            "endpoint_url": endpoint_url,
            **(credentials or {}),
        }
        self._lock = threading.Lock()
        self._made: Any = None
        # As this store has written or read them last; a guess that saves a request.
        self._heads: dict[str, Head] = {}

    @classmethod
    def of(cls, settings: Settings) -> DynamoDbStore:
        """The store of these settings."""
        url = settings.dynamodb_url
        return cls(
            settings.dynamodb_table,
            settings.aws_region,
            str(url) if url else None,
            settings.aws_credentials,
        )

    def claim(self, call_id: str, epoch: int, about: About) -> Claimed:
        """See `JournalStore`."""
        known, values = _known(about)
        update = {
            "TableName": self._table,
            "Key": _key(call_id, 0),
            "ReturnValues": "ALL_NEW",
        }
        with self._using() as client:
            try:
                change = ", ".join(["SET epoch = :epoch", _LAST, *known])
                head = client.update_item(
                    **update,
                    UpdateExpression=change,
                    ExpressionAttributeNames=_names(change),
                    ConditionExpression="attribute_not_exists(epoch) OR epoch < :epoch",
                    ExpressionAttributeValues={":epoch": _n(epoch), ":zero": _n(0), **values},
                )
            except client.exceptions.ConditionalCheckFailedException:
                change = ", ".join(["SET epoch = epoch + :one", _LAST, *known])
                head = client.update_item(
                    **update,
                    UpdateExpression=change,
                    ExpressionAttributeNames=_names(change),
                    ExpressionAttributeValues={":one": _n(1), ":zero": _n(0), **values},
                )
            self._know(call_id, _head(head["Attributes"]))
            held = int(head["Attributes"]["epoch"]["N"])
            return Claimed(held, self._rows(client, call_id))

    def write(self, parts: Sequence[Part]) -> list[Written]:
        """See `JournalStore`; what an error leaves undone is done by writing again."""
        with self._using() as client:
            return [self._write(client, part) for part in parts]

    def read(self, call_id: str) -> list[Row]:
        """See `JournalStore`."""
        with self._using() as client:
            return self._rows(client, call_id)

    def find(self, wanted: Wanted, limit: int) -> list[CallRecord]:
        """See `JournalStore`; a call that is seconds old may not be listed yet."""
        query: Item = {
            "TableName": self._table,
            "IndexName": "calls",
            "KeyConditionExpression": "listed = :of",
            "ExpressionAttributeValues": {":of": {"S": "call"}},
            "ScanIndexForward": False,
        }
        if wanted.caller:
            query["IndexName"], query["KeyConditionExpression"] = "callers", "caller = :of"
            query["ExpressionAttributeValues"] = {":of": {"S": wanted.caller}}
        if wanted.since is not None:
            query["KeyConditionExpression"] += " AND opened >= :since"
            query["ExpressionAttributeValues"][":since"] = _n(wanted.since)
        found: list[CallRecord] = []
        with self._using() as client:
            for item in _pages(client, query):
                record = _record(item)
                if wanted.has(record):
                    found.append(record)
                    if len(found) >= limit:
                        break
        return found

    def forget(self, call_ids: Iterable[str]) -> int:
        """See `JournalStore`."""
        with self._using() as client:
            return sum(self._forget(client, call_id) for call_id in call_ids)

    def sweep(self, now: float) -> int:
        """DynamoDB does it, within days; until then what has expired is deleted here, too."""
        query = {
            "TableName": self._table,
            "IndexName": "calls",
            "KeyConditionExpression": "listed = :of",
            "FilterExpression": "expires > :zero AND expires <= :now",
            "ExpressionAttributeValues": {":of": {"S": "call"}, ":zero": _n(0), ":now": _n(now)},
            "Limit": 1000,
        }
        with self._using() as client:
            found = client.query(**query)["Items"]
            return sum(self._forget(client, item["call_id"]["S"]) for item in found)

    def close(self) -> None:
        """Close the connections; a later use opens new ones."""
        with self._lock:
            if self._made is not None:
                self._made.close()
                self._made = None

    def make_table(self) -> bool:
        """Make the table, and wait until it is there; whether there was none."""
        with self._using() as client:
            try:
                client.create_table(TableName=self._table, **_TABLE)
                made = True
            except client.exceptions.ResourceInUseException:
                made = False
            until = time.monotonic() + READY_SECONDS
            while client.describe_table(TableName=self._table)["Table"]["TableStatus"] != "ACTIVE":
                if time.monotonic() > until:
                    raise StoreError(f"{self.name}: is not ready yet; look again in a while")
                time.sleep(1.0)
            if made:
                expires = {"Enabled": True, "AttributeName": "expires"}
                client.update_time_to_live(TableName=self._table, TimeToLiveSpecification=expires)
            return made

    def _write(self, client: Any, part: Part) -> Written:
        """A part in pieces, each of which is kept whole."""
        written = None
        for begin in range(0, len(part.rows), ROWS):
            written = self._piece(client, part._replace(rows=part.rows[begin : begin + ROWS]))
            if written.outcome != "kept":
                break
        assert written is not None
        return written

    def _piece(self, client: Any, part: Part) -> Written:
        head = self._heads.get(part.call_id) or self._ask_head(client, part.call_id)
        for _ in range(CONTENDED):
            written, rows = placed(head, part)
            guessed = part.call_id in self._heads
            if written.outcome == "kept" and rows:
                if self._put(client, part, head, written, rows):
                    self._know(part.call_id, Head(written.epoch, written.last))
                    return written
            elif not guessed:
                return written
            # What is guessed may be old: nothing is refused, and nothing passed over, by it.
            self._heads.pop(part.call_id, None)
            head = self._ask_head(client, part.call_id)
        raise StoreError(f"{self.name}: {part.call_id} is being written by another node")

    def _put(self, client: Any, part: Part, head: Head, written: Written, rows: list[Row]) -> bool:
        """Write the rows and the head, if that is still as it was."""
        known, values = _known(part.about or About(opened=part.rows[0].at))
        told = told_by(rows)
        changes = ["SET epoch = :epoch", "#last = :last", "updated = :updated", *known]
        values |= {
            ":epoch": _n(written.epoch),
            ":last": _n(written.last),
            ":updated": _n(told.updated),
        }
        if told.outcome is not None:
            changes.append("outcome = :outcome")
            values[":outcome"] = {"S": told.outcome}
        if told.turns is not None:
            changes.append("turns = :turns")
            values[":turns"] = _n(told.turns)
        condition = "attribute_not_exists(epoch)"
        if head.epoch:
            condition = "epoch = :before AND #last = :behind"
            values |= {":before": _n(head.epoch), ":behind": _n(head.last)}
        expires = part.about.expires if part.about is not None else 0.0
        change = ", ".join(changes)
        update = {
            "TableName": self._table,
            "Key": _key(part.call_id, 0),
            "UpdateExpression": change,
            "ConditionExpression": condition,
            "ExpressionAttributeNames": _names(change),
            "ExpressionAttributeValues": values,
        }
        puts = [{"Put": {"TableName": self._table, "Item": _item(row, expires)}} for row in rows]
        try:
            client.transact_write_items(TransactItems=[{"Update": update}, *puts])
        except client.exceptions.TransactionCanceledException as error:
            reasons = error.response.get("CancellationReasons") or []
            if any(reason.get("Code") == "ConditionalCheckFailed" for reason in reasons):
                return False
            raise
        return True

    def _ask_head(self, client: Any, call_id: str) -> Head:
        found = client.get_item(TableName=self._table, Key=_key(call_id, 0), ConsistentRead=True)
        return _head(found.get("Item", {}))

    def _know(self, call_id: str, head: Head) -> None:
        with self._lock:
            self._heads.pop(call_id, None)
            self._heads[call_id] = head
            if len(self._heads) > HEADS:
                del self._heads[next(iter(self._heads))]

    def _items(self, client: Any, call_id: str) -> list[Item]:
        query = {
            "TableName": self._table,
            "KeyConditionExpression": "call_id = :call",
            "ExpressionAttributeValues": {":call": {"S": call_id}},
            "ConsistentRead": True,
        }
        return list(_pages(client, query))

    def _rows(self, client: Any, call_id: str) -> list[Row]:
        items = self._items(client, call_id)
        if not items or items[0]["number"]["N"] != "0":
            return []
        last = _head(items[0]).last
        return [row for row in map(_row, items[1:]) if row.number <= last]

    def _forget(self, client: Any, call_id: str) -> int:
        self._heads.pop(call_id, None)
        items = self._items(client, call_id)
        asked = [
            {"DeleteRequest": {"Key": {"call_id": item["call_id"], "number": item["number"]}}}
            for item in items
        ]
        for begin in range(0, len(asked), DELETES):
            left = {self._table: asked[begin : begin + DELETES]}
            for _ in range(CONTENDED):
                left = client.batch_write_item(RequestItems=left)["UnprocessedItems"]
                if not left:
                    break
            else:
                raise StoreError(f"{self.name}: is too busy to delete; say it again")
        return int(bool(items))

    @contextmanager
    def _using(self) -> Iterator[Any]:
        try:
            yield self._client()
        except (BotoCoreError, ClientError, Unreadable) as error:
            raise StoreError(f"{self.name}: {_why(error)}") from error

    def _client(self) -> Any:
        with self._lock:
            if self._made is None:
                config = Config(
                    connect_timeout=CONNECT_SECONDS,
                    read_timeout=READ_SECONDS,
                    retries={"total_max_attempts": 1},
                    max_pool_connections=CONNECTIONS,
                )
                make: Any = _session().client
                self._made = make("dynamodb", config=config, **self._options)
                bounded(self._made)
            return self._made


@cache
def _session() -> Session:
    """One for all stores: it reads a large description of DynamoDB."""
    return Session()


_LAST: Final = "#last = if_not_exists(#last, :zero)"
_TABLE: Final[Item] = {
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [
        {"AttributeName": "call_id", "AttributeType": "S"},
        {"AttributeName": "number", "AttributeType": "N"},
        {"AttributeName": "listed", "AttributeType": "S"},
        {"AttributeName": "caller", "AttributeType": "S"},
        {"AttributeName": "opened", "AttributeType": "N"},
    ],
    "KeySchema": [
        {"AttributeName": "call_id", "KeyType": "HASH"},
        {"AttributeName": "number", "KeyType": "RANGE"},
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": name,
            "KeySchema": [
                {"AttributeName": key, "KeyType": "HASH"},
                {"AttributeName": "opened", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "ALL"},
        }
        for name, key in (("calls", "listed"), ("callers", "caller"))
    ],
}


def _n(value: float) -> Item:
    return {"N": repr(value)}


def _key(call_id: str, number: int) -> Item:
    return {"call_id": {"S": call_id}, "number": _n(number)}


def _known(about: About) -> tuple[list[str], Item]:
    """What of a head is set by what is known of the call, unless an earlier owner has."""
    if not about.opened:
        return [], {}
    values = {":listed": {"S": "call"}, ":opened": _n(about.opened)}
    if about.expires:
        values[":expires"] = _n(int(about.expires))
    for name in _ABOUT:
        # An index takes no empty text.
        if text := getattr(about, name):
            values[f":{name}"] = {"S": text}
    names = [value[1:] for value in values]
    return [f"#{name} = if_not_exists(#{name}, :{name})" for name in names], values


def _names(expression: str) -> dict[str, str]:
    """The attributes of an expression; many a plain word is reserved."""
    return {f"#{name}": name for name in re.findall(r"#(\w+)", expression)}


def _item(row: Row, expires: float) -> Item:
    text = dumps(row.entry)
    if len(text) > ENTRY_BYTES:
        text = dumps({"type": "left_out", "bytes": len(text)})
    item = {
        **_key(row.call_id, row.number),
        "event": _n(row.event),
        "at": _n(row.at),
        "entry": {"S": text},
    }
    return item | ({"expires": _n(int(expires))} if expires else {})


def _row(item: Item) -> Row:
    try:
        number, event = int(item["number"]["N"]), int(item["event"]["N"])
        call_id, at, text = item["call_id"]["S"], number_of(item["at"]["N"]), item["entry"]["S"]
    except (KeyError, TypeError, ValueError, OverflowError):
        raise Unreadable(f"a row of call {item.get('call_id')!r:.200} cannot be read") from None
    return Row(call_id, number, event, at, entry_of(text))


def _head(item: Item) -> Head:
    return Head(*(int(_number(item, name)) for name in ("epoch", "last")))


def _record(item: Item) -> CallRecord:
    def text(name: str) -> str:
        return str(_value(item, name, "S") or "")

    opened = _number(item, "opened")
    return CallRecord(
        text("call_id"),
        text("caller"),
        text("agent"),
        text("tenant"),
        opened,
        max(_number(item, "updated"), opened),
        text("outcome"),
        int(_number(item, "turns")),
        _number(item, "expires"),
    )


def _number(item: Item, name: str) -> float:
    return number_of(_value(item, name, "N"))


def _value(item: Item, name: str, kind: str) -> Any:
    """What an attribute of this kind holds; None where it is another's, or not there."""
    told = item.get(name)
    return told.get(kind) if isinstance(told, dict) else None


def _pages(client: Any, query: Item) -> Iterator[Item]:
    while True:
        answer = client.query(**query)
        yield from answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        query = {**query, "ExclusiveStartKey": answer["LastEvaluatedKey"]}


def _why(error: Exception) -> str:
    told = (getattr(error, "response", None) or {}).get("Error", {})
    if told.get("Code") == "ResourceNotFoundException":
        return "there is no such table: make it with `aybiza calls table`"
    return str(error)
