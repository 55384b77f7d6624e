"""Agents are read from TOML; one that cannot be read says why."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from aybiza.config.agents import Agent, AgentError, available, load_agent

SMALLEST = 'name = "Desk"\ngreeting = "Hello."\nsystem_prompt = "Be kind."\n'


def written(folder: Path, text: str) -> str:
    path = folder / "desk.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


ELEVEN = "elevenlabs:JBFqnCBsd6RMkjVDRZzb"


def problems(name_or_path: str) -> list[str]:
    with pytest.raises(AgentError) as caught:
        load_agent(name_or_path)
    assert str(caught.value) == "\n".join(caught.value.problems)
    start = re.compile(re.escape(name_or_path) + r"(:\d+)?: ")
    return [start.sub("", problem) for problem in caught.value.problems]


@pytest.mark.parametrize("name", available())
def test_every_agent_of_the_package_can_be_read(name: str) -> None:
    assert load_agent(name).name


def test_the_demonstration_agent_is_a_clinics_front_desk() -> None:
    agent = load_agent("clinic")
    assert agent.type == "customer_service"
    assert agent.name in agent.greeting
    assert agent.name in agent.system_prompt
    for task in ("book", "move", "cancel", "balance", "opening hours", "price", "person"):
        assert task in agent.system_prompt.lower()
    assert agent.barge_in
    for tool in ("book_appointment", "move_appointment", "cancel_appointment", "end_call"):
        assert tool in agent.tools


def test_an_agent_of_your_own_needs_three_things(tmp_path: Path) -> None:
    agent = load_agent(written(tmp_path, SMALLEST))
    assert (agent.name, agent.greeting, agent.system_prompt) == ("Desk", "Hello.", "Be kind.")
    assert (agent.tools, agent.keyterms) == ((), ())
    assert agent.silence_timeout_s is None
    assert agent.max_duration_s is None


def test_a_whole_number_serves_where_a_number_is_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path, SMALLEST + "temperature = 1\nmax_duration_s = 60\n")
    assert load_agent(path).temperature == 1.0
    assert load_agent(path).max_duration_s == 60.0


def test_an_unknown_name_lists_the_known_ones() -> None:
    (problem,) = problems("clinik")
    assert problem.startswith("there is no agent 'clinik'; there are: clinic, helpdesk, winery;")


@pytest.mark.parametrize("name", ["../agents/clinic", "missing.toml", "/nowhere/at/all.toml"])
def test_a_path_without_a_file_is_named(name: str) -> None:
    assert problems(name) == ["cannot be read: No such file or directory"]


def test_what_is_missing_misspelled_or_wrong_is_named_at_once(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        'name = 5\ngreting = "Hello."\nsystem_prompt = "x"\nendpointing_ms = 5\n'
        'barge_in = "yes"\ntools = ["a b"]\nlanguage = "English"\n',
    )
    found = problems(path)
    assert "name = 5: must be a text, not a whole number" in found
    assert "greeting is missing" in found
    assert "greting is no part of an agent; did you mean greeting?" in found
    assert "endpointing_ms = 5: should be greater than or equal to 10" in found
    assert "barge_in = 'yes': must be true or false, not a text" in found
    assert len(found) == 7


def test_a_language_without_a_voice_needs_one_by_name(tmp_path: Path) -> None:
    path = written(tmp_path, SMALLEST + 'language = "hi"\n')
    assert problems(path) == [
        "language = 'hi': Deepgram has no voice of Hindi: name one by `voice`"
    ]
    named = SMALLEST + 'language = "hi"\nvoice = "elevenlabs:JBFqnCBsd6RMkjVDRZzb"\n'
    assert load_agent(written(tmp_path, named)).language == "hi"


@pytest.mark.parametrize("text", ["name = ", "[[", 'name = "a"\nname = "b"'])
def test_what_is_not_toml_is_named_with_its_place(tmp_path: Path, text: str) -> None:
    (problem,) = problems(written(tmp_path, text))
    assert problem.startswith("is not TOML: ")
    assert "line" in problem or "end of document" in problem


def test_what_is_not_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "desk.toml"
    path.write_bytes(b"name = '\xff\xfe'")
    assert problems(str(path)) == ["is not UTF-8 text, in line 1: save it as UTF-8"]


def test_a_long_wrong_value_is_cut(tmp_path: Path) -> None:
    (problem,) = problems(written(tmp_path, SMALLEST + f"max_tokens = '{'x' * 5_000}'"))
    assert len(problem) < 200


def test_an_agent_cannot_be_changed() -> None:
    agent = load_agent("clinic")
    with pytest.raises(ValidationError):
        agent.name = "other"
    assert isinstance(agent, Agent)


def test_the_people_of_an_agent_have_telephone_numbers_or_sip_addresses(tmp_path: Path) -> None:
    table = '[transfer_numbers]\n"front desk" = "+14155550199"\nbilling = "sip:b@example.org"\n'
    named = load_agent(written(tmp_path, SMALLEST + table)).transfer_numbers
    assert named == {"front desk": "+14155550199", "billing": "sip:b@example.org"}
    (problem,) = problems(written(tmp_path, SMALLEST + '[transfer_numbers]\ndesk = "555"\n'))
    assert problem.startswith("transfer_numbers.desk = '555': ")


def test_a_wrong_value_is_found_by_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, SMALLEST + "\nvoice = 5\n")
    with pytest.raises(AgentError) as caught:
        load_agent(path)
    assert str(caught.value) == f"{path}:5: voice = 5: must be a text, not a whole number"


def test_an_agent_for_health_data_names_the_tools_that_may_have_it(tmp_path: Path) -> None:
    health = SMALLEST + "health_data = true\n"
    path = written(
        tmp_path, health + 'tools = ["end_call", "look_up"]\ntransfer_style = "accept"\n'
    )
    with pytest.raises(AgentError) as caught:
        load_agent(path)
    style, tools = sorted(caught.value.problems, reverse=True, key=lambda line: "style" in line)
    assert style == (
        f"{path}:6: transfer_style = 'accept': with health_data no carrier may say what the call"
        " is about"
    )
    assert tools.startswith(f"{path}:5: tools = ['end_call', 'look_up']: with health_data, name")
    assert tools.endswith("health_tools who may have it: look_up")
    named = health + 'health_tools = ["look_up"]\ntools = ["end_call", "look_up"]\n'
    assert load_agent(written(tmp_path, named)).health_data


def test_an_agent_that_is_one_already_is_taken_as_it_is() -> None:
    agent = load_agent("clinic")
    assert Agent.model_validate(agent) is agent


def test_a_tools_file_is_found_from_the_agents_file_or_by_its_name(tmp_path: Path) -> None:
    path = written(tmp_path, SMALLEST + 'tools_file = "more/tools.toml"\n')
    assert load_agent(path).tools_file == str(tmp_path / "more" / "tools.toml")
    path = written(tmp_path, SMALLEST + 'tools_file = "clinic"\n')
    assert Path(load_agent(path).tools_file).is_file()
    path = written(tmp_path, SMALLEST + 'tools_file = "clinik"\n')
    (problem,) = problems(path)
    assert problem.startswith("tools_file = 'clinik': there are no tools of this name; there are: ")
    assert "give its path, ending in .toml" in problem


def test_what_health_data_forbids_is_open_to_others(tmp_path: Path) -> None:
    wants = (
        'transfer_style = "accept"\nlast_model = "openai:gpt-4o-mini"\n'
        f'voice = "{ELEVEN}"\n[recording]\n[analysis]\n'
    )
    agent = load_agent(written(tmp_path, SMALLEST + wants))
    assert (agent.transfer_style, agent.recording is None) == ("accept", False)
    told = "\n".join(problems(written(tmp_path, SMALLEST + "health_data = true\n" + wants)))
    assert "nothing that is said is kept" in told
    assert "there are figures only" in told
    assert "no carrier may say" in told
    assert "nobody but Bedrock may answer" in told
    assert "nobody but Deepgram may speak" in told


def test_a_voice_of_another_language_is_held_to_the_same(tmp_path: Path) -> None:
    speaks = f'languages = ["en", "es"]\n[speaks.es]\nsecond_voice = "{ELEVEN}"\n'
    agent = load_agent(written(tmp_path, SMALLEST + speaks))
    assert ELEVEN in agent.voices and agent.second_voice is None
    assert agent.speaking("es").second_voice == ELEVEN
    (problem,) = problems(written(tmp_path, SMALLEST + "health_data = true\n" + speaks))
    assert "nobody but Deepgram may speak" in problem


@pytest.mark.parametrize("key", ["voice", "second_voice"])
def test_a_voice_that_is_none_is_told_with_its_line(tmp_path: Path, key: str) -> None:
    path = written(tmp_path, SMALLEST + f'{key} = "elevenlabs:Rachel"\n')
    with pytest.raises(AgentError) as caught:
        load_agent(path)
    assert f":4: {key} = 'elevenlabs:Rachel': must be a voice of Deepgram's" in str(caught.value)


@pytest.mark.parametrize("model", ["gpt-4o-mini", "openai:", "openai:gpt 4", "bedrock:x"])
def test_a_last_model_is_of_a_chat_service_by_name(tmp_path: Path, model: str) -> None:
    (problem,) = problems(written(tmp_path, SMALLEST + f'last_model = "{model}"\n'))
    assert problem.startswith(f"last_model = '{model}': must be openai: and")


def test_a_temperature_that_no_file_gives_keeps_no_top_p_from_the_model(tmp_path: Path) -> None:
    given = {
        "": (0.3, None),
        "top_p = 0.9": (None, 0.9),
        "top_p = 0.9\ntemperature = 0.4": (0.4, 0.9),
    }
    for line, (temperature, top_p) in given.items():
        sampling = load_agent(written(tmp_path, SMALLEST + line)).sampling
        assert (sampling["temperature"], sampling["top_p"]) == (temperature, top_p), line
