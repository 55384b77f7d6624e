"""Settings of records and sinks: their defaults keep records, and export nothing."""

import pytest

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


def test_the_key_of_recordings_is_64_hexadecimal_digits_and_hidden() -> None:
    key = "5ec4e7" + "0" * 58
    settings = load({"AYBIZA_RECORDINGS_KEY": key, "AYBIZA_RECORDINGS": "/var/recordings"})
    assert settings.recordings_key is not None
    assert settings.recordings_key.get_secret_value() == key
    assert key not in repr(settings)
    for wrong in ("1234", "x" * 64):
        with pytest.raises(Exception, match="AYBIZA_RECORDINGS_KEY"):
            load({"AYBIZA_RECORDINGS_KEY": wrong})
