"""The limits of a call, and what the log may tell of it."""

from aybiza.config.settings import Settings, load


def test_a_call_is_limited_without_anybody_asking() -> None:
    settings = Settings()
    limits = (settings.max_call_seconds, settings.silence_timeout_seconds)
    assert limits == (900, 10)
    assert settings.turn_deadline_ms == 20_000


def test_what_is_said_is_logged_only_on_demand() -> None:
    assert Settings().log_transcripts is False
    assert load({"AYBIZA_LOG_TRANSCRIPTS": "true"}).log_transcripts is True
