"""Caller scripts: what is read, what is refused and how it is told."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from aybiza.emulators import textaudio
from aybiza.emulators.phone import script as scripts
from aybiza.emulators.phone.audio import SILENCE_CODES, write_wav
from aybiza.emulators.phone.script import Mode, Script, ScriptError, load, names, parse


def parsed(text: str, folder: Path = Path("."), mode: Mode | None = None) -> Script:
    return parse(tomllib.loads(text), folder / "call.toml", mode)


def steps(*tables: str) -> str:
    return "".join(f"[[steps]]\n{table}\n" for table in tables)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one recording, `hello.wav`."""
    write_wav(tmp_path / "hello.wav", [np.full(800, 5000, np.int16)])
    return tmp_path


class TestLoad:
    @pytest.mark.parametrize("name", names())
    @pytest.mark.parametrize("mode", ["audio", "text"])
    def test_every_script_that_comes_with_the_phone_is_good_in_both_modes(
        self, name: str, mode: Mode
    ) -> None:
        script = load(name, mode)
        assert (script.name, script.mode) == (name, mode)
        assert any(step.utterance for step in script.steps)

    def test_the_scripts_of_the_demonstration_are_there(self) -> None:
        assert {"booking", "moving", "balance", "interrupt", "opening_hours"} <= set(names())

    def test_a_path_is_read_with_its_recordings_beside_it(self, folder: Path) -> None:
        (folder / "my.toml").write_text(steps('say = "hello.wav"'))
        script = load(folder / "my.toml")
        assert script.name == "my"
        assert script.steps[0].utterance is not None

    def test_an_unknown_name_lists_those_there_are(self) -> None:
        with pytest.raises(ScriptError, match=r"named 'bookin'; there are: .*booking"):
            load("bookin")

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(ScriptError, match=r"none\.toml: cannot be read: No such file"):
            load(tmp_path / "none.toml")

    @pytest.mark.parametrize("data", [b"[[steps]", b"\xff\xfe"])
    def test_what_is_not_toml_is_named(self, data: bytes, tmp_path: Path) -> None:
        (tmp_path / "odd.toml").write_bytes(data)
        with pytest.raises(ScriptError, match=r"odd\.toml"):
            load(tmp_path / "odd.toml")


class TestMode:
    TABLE = steps('say = "hello.wav"\ntext = "Hi."\nexpect = "help"')

    def test_a_script_with_recordings_speaks_them(self, folder: Path) -> None:
        script = parsed(self.TABLE, folder)
        utterance = script.steps[0].utterance
        assert script.mode == "audio"
        assert utterance is not None and len(utterance.frames) == 5

    def test_text_mode_sends_the_words_themselves(self, folder: Path) -> None:
        utterance = parsed(self.TABLE, folder, "text").steps[0].utterance
        assert utterance is not None
        sent = b"".join(utterance.frames)
        assert textaudio.TextAudioDecoder().feed(sent + SILENCE_CODES * 1600).strip() == "Hi."

    def test_a_script_without_recordings_is_text(self) -> None:
        assert parsed(steps('text = "Hi."')).mode == "text"

    def test_an_expectation_of_words_is_one_of_sound_in_audio_mode(self, folder: Path) -> None:
        audio = parsed(self.TABLE, folder).steps[0]
        text = parsed(self.TABLE, folder, "text").steps[0]
        assert (audio.expect, audio.expect_audio) == (None, True)
        assert text.expect is not None and not text.expect_audio

    def test_a_step_without_what_the_mode_needs_is_refused(self, folder: Path) -> None:
        with pytest.raises(ScriptError, match="step 1: has no text"):
            parsed(steps('say = "hello.wav"'), folder, "text")
        with pytest.raises(ScriptError, match="step 1: has no recording"):
            parsed(steps('text = "Hi."'), folder, "audio")


class TestSteps:
    def test_the_usual_condition_is_700_ms_of_quiet(self) -> None:
        step = parsed(steps('dtmf = "1"')).steps[0]
        assert (step.when, step.ms, step.timeout_ms) == ("quiet", 700, 20_000)

    @pytest.mark.parametrize(
        ("line", "when", "ms"),
        [
            ("after_quiet_ms = 300", "quiet", 300),
            ("after_ms = 0", "elapsed", 0),
            ("when_agent_speaking_ms = 1500.5", "agent_speaking", 1500.5),
        ],
    )
    def test_each_condition_is_read(self, line: str, when: str, ms: float) -> None:
        step = parsed(steps(f'dtmf = "1"\n{line}\ntimeout_s = 3')).steps[0]
        assert (step.when, step.ms, step.timeout_ms) == (when, ms, 3000)

    @pytest.mark.parametrize(
        ("line", "act"),
        [
            ('dtmf = "1*#A"', "press"),
            ("hangup = true", "hangup"),
            ('hangup = "without_stop"', "hangup"),
            ("wait_close = true", "wait_close"),
            ("drop = true", "drop"),
            ('label = "greeting"', "listen"),
        ],
    )
    def test_each_act_is_read(self, line: str, act: str) -> None:
        assert parsed(steps(line)).steps[0].act == act

    def test_waiting_for_the_end_needs_no_quiet(self) -> None:
        step = parsed(steps("wait_close = true")).steps[0]
        assert (step.when, step.ms) == ("elapsed", 0)

    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            ("", r"no \[\[steps\]\]"),
            ("steps = [1]", "step 1: must be a table"),
            ('titel = "x"\n' + steps('text = "a"'), "'titel', did you mean 'title'"),
            (steps('sey = "x.wav"'), "step 1: unknown key 'sey', did you mean 'say'"),
            (steps("text = 1"), "step 1: text = 1 must be str"),
            (steps('text = "a"', "after_ms = true"), "step 2: after_ms = True must be int"),
            (steps('text = "a"\nhangup = true'), "does one thing, this one has text and hangup"),
            (steps("after_ms = 1\nafter_quiet_ms = 1"), "has one moment"),
            (steps('dtmf = "12x"'), r"dtmf = '12x': keys are 0-9"),
            (steps('dtmf = ""'), "keys are"),
            (steps('hangup = "loudly"'), "hangup = 'loudly'"),
            (steps('text = "a"\nexpect = "("'), r"expect = '\('"),
            (steps('text = "a"\nafter_ms = -1'), "must not be negative"),
            (steps(f'text = "a"\nafter_ms = {"9" * 400}'), "no number to wait for"),
            (steps('text = "a"\ntimeout_s = nan'), "no number to wait for"),
            (steps('text = "a"\ntimeout_s = inf'), "no number to wait for"),
            ("limit_s = inf\n" + steps('text = "a"'), "no number to wait for"),
            (steps('text = "a"\ntimeout_s = 0'), "above 0"),
            (steps("hangup = true", 'text = "a"'), "step 1: hangup ends the call"),
            ("parameters = { a = 1 }\n" + steps('text = "a"'), "parameters must be strings"),
            (steps('say = "none.wav"'), r"step 1: .*none\.wav: No such file"),
        ],
    )
    def test_a_mistake_is_told_with_its_place(self, text: str, complaint: str) -> None:
        with pytest.raises(ScriptError, match=complaint) as refusal:
            parsed(text)
        assert "call.toml" in str(refusal.value)


def test_every_key_is_described_in_the_module() -> None:
    documented = scripts.__doc__ or ""
    for key in [*scripts._SCRIPT_TYPES, *scripts._STEP_TYPES]:
        assert f"{key}" in documented, key
