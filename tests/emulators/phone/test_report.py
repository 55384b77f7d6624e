"""The report: response times, barge-in, gaps, what was heard."""

import json

import pytest

from aybiza.emulators.phone.report import CallLog, Report, percentile


def call_log() -> CallLog:
    return CallLog(Report("test", "CA1"))


class TestResponseTime:
    def test_runs_from_the_callers_last_sound_to_the_first_audio_received(self) -> None:
        log = call_log()
        log.caller_starts(1000, "ask", "Hi.", agent_audible=False)
        log.caller_ends(2000)
        assert log.audio_arrives(2350, buffer_empty=True)
        assert not log.audio_arrives(2370, buffer_empty=False)
        assert log.report.turns[0].response_ms == 350

    def test_is_negative_when_the_agent_begins_before_the_caller_is_done(self) -> None:
        log = call_log()
        log.caller_starts(1000, "ask", "Hi.", agent_audible=False)
        log.audio_arrives(1900, buffer_empty=True)
        log.caller_ends(2000)
        assert log.report.turns[0].response_ms == -100

    def test_audio_before_the_first_turn_is_the_greeting(self) -> None:
        log = call_log()
        assert log.audio_arrives(120, buffer_empty=True)
        assert not log.audio_arrives(140, buffer_empty=True)
        assert log.report.greeting_ms == 120

    def test_a_turn_without_an_answer_has_none(self) -> None:
        log = call_log()
        log.caller_starts(1000, "ask", "Hi.", agent_audible=False)
        log.caller_ends(2000)
        assert log.report.response_times_ms == []
        assert "no answer" in "\n".join(log.report.lines())


class TestBargeIn:
    def test_the_old_answer_still_arriving_is_not_the_new_one(self) -> None:
        log = call_log()
        log.caller_starts(1000, "stop", "Stop.", agent_audible=True)
        assert not log.audio_arrives(1050, buffer_empty=False)
        log.cleared(1180, dropped=True)
        log.caller_ends(1500)
        assert log.audio_arrives(1800, buffer_empty=True)
        turn = log.report.turns[0]
        assert (turn.clear_after_ms, turn.response_ms) == (180, 300)

    def test_without_a_clear_only_audio_into_an_empty_buffer_is_the_answer(self) -> None:
        log = call_log()
        log.caller_starts(1000, "stop", "Stop.", agent_audible=True)
        log.caller_ends(1500)
        assert not log.audio_arrives(1600, buffer_empty=False)
        assert log.audio_arrives(4000, buffer_empty=True)
        turn = log.report.turns[0]
        assert (turn.clear_after_ms, turn.response_ms) == (None, 2500)
        assert "no clear" in "\n".join(log.report.lines())

    def test_a_later_clear_leaves_a_measured_answer_alone(self) -> None:
        log = call_log()
        log.caller_starts(1000, "ask", "Hi.", agent_audible=False)
        log.caller_ends(2000)
        log.audio_arrives(2300, buffer_empty=True)
        log.cleared(2400, dropped=True)
        log.audio_arrives(2900, buffer_empty=True)
        assert log.report.turns[0].response_ms == 300

    def test_what_was_cut_off_is_marked_as_cut(self) -> None:
        log = call_log()
        log.played(0, 500, True, "We are op")
        log.cleared(500, dropped=True)
        log.played(900, 950, True, "Yes?")
        assert [(h.text, h.cut) for h in log.report.heard] == [("We are op", True), ("Yes?", False)]


class TestGaps:
    def test_a_hole_in_the_agents_audio_is_a_gap(self) -> None:
        log = call_log()
        log.played(0, 100, True)
        log.played(160, 200, True)
        assert [(gap.at_ms, gap.ms) for gap in log.report.gaps] == [(100, 60)]

    def test_pieces_that_join_and_silent_audio_are_none(self) -> None:
        log = call_log()
        log.played(0, 100, True)
        log.played(100, 600, False)
        log.played(600, 700, True)
        assert log.report.gaps == []

    @pytest.mark.parametrize("event", ["caller_starts", "caller_ends", "cleared", "stream_gone"])
    def test_a_pause_that_somebody_else_caused_is_none(self, event: str) -> None:
        log = call_log()
        log.played(0, 100, True)
        {
            "caller_starts": lambda: log.caller_starts(200, "a", "b", False),
            "caller_ends": lambda: log.caller_ends(200),
            "cleared": lambda: log.cleared(200, False),
            "stream_gone": log.stream_gone,
        }[event]()
        log.played(900, 950, True)
        assert log.report.gaps == []


class TestHeard:
    def test_speech_after_a_pause_is_another_utterance(self) -> None:
        log = call_log()
        for start, text in [(0, "Good "), (100, "morning."), (600, "Hello?")]:
            log.played(start, start + 100, True, text)
        assert [(h.at_ms, h.until_ms, h.text) for h in log.report.heard] == [
            (0, 200, "Good morning."),
            (600, 700, "Hello?"),
        ]
        assert log.report.heard_text == "Good morning.\nHello?"

    def test_a_turn_holds_what_was_heard_after_it(self) -> None:
        log = call_log()
        log.played(0, 100, True, "Hello.")
        log.caller_starts(500, "ask", "Hi.", False)
        log.played(900, 1000, True, "Yes.")
        assert log.report.turns[0].heard == "Yes."


class TestReport:
    def test_is_json_with_its_figures(self) -> None:
        log = call_log()
        for number, response in enumerate([100, 300, 200]):
            log.caller_starts(number * 1000, "t", "x", False)
            log.caller_ends(number * 1000 + 100)
            log.audio_arrives(number * 1000 + 100 + response, True)
        read = json.loads(json.dumps(log.report.as_dict()))
        assert (read["response_p50_ms"], read["response_p95_ms"]) == (200, 300)
        assert read["turns"][1]["response_ms"] == 300

    def test_of_a_call_that_never_began_is_still_json_and_lines(self) -> None:
        report = Report("test", "CA1", failure="cannot connect")
        assert json.loads(json.dumps(report.as_dict()))["response_p50_ms"] is None
        assert report.lines()[-1] == "  FAILED: cannot connect"

    @pytest.mark.parametrize(
        ("percent", "value"), [(0, 1), (25, 1), (50, 2), (75, 3), (95, 4), (100, 4)]
    )
    def test_percentiles_are_by_nearest_rank(self, percent: float, value: float) -> None:
        assert percentile([4, 2, 1, 3], percent) == value
