"""Which sinks a node has, and how they are closed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from aybiza.config.settings import Settings, load
from aybiza.console.sinks import SinkMissing, children, close, headers_of, sinks


def settings(tmp_path: Path, **more: str) -> Settings:
    return load({"AYBIZA_MEMORY_PATH": str(tmp_path / "memory.sqlite3"), **more})


def test_records_and_the_trail_are_always_kept(tmp_path: Path) -> None:
    assert [service.name for service in sinks(settings(tmp_path))] == ["records", "audit"]


def test_each_setting_brings_its_sink_as_a_child_of_its_own(tmp_path: Path) -> None:
    named = settings(
        tmp_path,
        AYBIZA_CLOUDWATCH_NAMESPACE="Phones",
        AYBIZA_EVENTS_FILE=str(tmp_path / "events.jsonl"),
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:4318",
        AYBIZA_POSTGRES_URL="postgresql://a@127.0.0.1/metrics",
    )
    found = sinks(named)
    names = [service.name for service in found]
    assert names == ["records", "audit", "cloudwatch", "json", "otlp", "otlp_metrics", "postgres"]
    ids = [spec.id for spec in children(found, named)]
    assert ids == [*(f"sink_{name}" for name in names), "figures_teller"]
    assert len(children(found[:2], named)) == 2, "nobody takes figures"
    close(found)


def test_headers_are_read_as_opentelemetry_writes_them(tmp_path: Path) -> None:
    named = settings(tmp_path, OTEL_EXPORTER_OTLP_HEADERS="x-key=a=b,x-team=phones,")
    assert headers_of(named) == {"x-key": "a=b", "x-team": "phones"}


def test_a_package_that_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delitem(sys.modules, "aybiza.actors.measures.metrics_sink_postgres", raising=False)
    with pytest.raises(SinkMissing, match=r"pip install 'aybiza\[postgres\]'"):
        sinks(settings(tmp_path, AYBIZA_POSTGRES_URL="postgresql://a@127.0.0.1/metrics"))
