"""Settings of records and sinks: their defaults keep records, and export nothing."""

from aybiza.config.settings import Settings, load


def test_by_default_records_are_kept_and_nothing_leaves_the_machine() -> None:
    settings = Settings()
    assert settings.records_days == 90
    exports = (settings.events_file, settings.otlp_endpoint, settings.postgres_url)
    assert exports == (None, None, None)


def test_what_opens_a_door_is_not_shown() -> None:
    settings = load(
        {
            "OTEL_EXPORTER_OTLP_HEADERS": "x-key=very-hidden-1",
            "AYBIZA_POSTGRES_URL": "postgresql://a:very-hidden-2@db/metrics",
        }
    )
    assert "very-hidden" not in repr(settings)
