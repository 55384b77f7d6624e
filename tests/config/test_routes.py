"""Routes: which agent answers which call; what cannot be read says file, line and field."""

from __future__ import annotations

from pathlib import Path

import pytest

from aybiza.config.routes import DEFAULT, Routes, RoutesError, load_routes

AGENT = 'name = "{name}"\ngreeting = "Hello."\nsystem_prompt = "Be kind."\n'

FILE = """\
[routes.sales]
agent = "sales.toml"
tenant = "Napoli"
numbers = ["+14155550100", "sip:sales@napoli.example"]

[routes.support]
agent = "support.toml"
tenant = "Napoli"
parameters = { desk = "support" }

[routes.other]
agent = "other.toml"
numbers = ["+14155550111", "1000"]
"""


def written(folder: Path, text: str = FILE) -> Path:
    for name in ("sales", "support", "other"):
        (folder / f"{name}.toml").write_text(AGENT.format(name=name.title()), encoding="utf-8")
    path = folder / "routes.toml"
    path.write_text(text, encoding="utf-8")
    return path


def routes(folder: Path, text: str = FILE) -> Routes:
    return load_routes(written(folder, text), "clinic")


def problems(folder: Path, text: str) -> list[str]:
    path = written(folder, text)
    with pytest.raises(RoutesError) as caught:
        load_routes(path, "clinic")
    assert str(caught.value) == "\n".join(caught.value.problems)
    assert path in caught.value.files
    return [problem.replace(str(folder), "") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ({"To": "+14155550100"}, "sales"),
        ({"To": "sip:sales@napoli.example;transport=tls"}, "sales"),
        ({"To": "sip:+14155550100@carrier.example"}, "sales"),
        ({"To": "+14155550199", "desk": "support"}, "support"),
        ({"To": "1000"}, "other"),
        ({"To": "+14155550199"}, DEFAULT),
        ({}, DEFAULT),
        ({"tenant": "Napoli"}, "sales"),
        ({"tenant": "Napoli", "desk": "support"}, "support"),
        ({"tenant": "Napoli", "To": "+14155550111"}, "sales"),
        ({"tenant": "Nobody", "To": "+14155550100"}, DEFAULT),
        ({"Route": "other", "To": "+14155550100"}, "other"),
        ({"Route": "gone", "To": "+14155550100"}, "sales"),
        ({"Route": DEFAULT, "To": "+14155550100"}, DEFAULT),
    ],
)
def test_a_call_has_the_route_that_fits(tmp_path: Path, told: dict[str, str], name: str) -> None:
    assert routes(tmp_path).choose(told).name == name


def test_a_route_without_a_condition_takes_what_no_other_does(tmp_path: Path) -> None:
    every = '[routes.any]\nagent = "support.toml"\n\n' + FILE
    chosen = routes(tmp_path, every)
    assert chosen.choose({"To": "+14155550199"}).name == "any"
    assert chosen.choose({"To": "+14155550100"}).name == "sales"


def test_a_route_has_its_agent_and_its_tenant(tmp_path: Path) -> None:
    sales, _, other = routes(tmp_path).routes
    assert (sales.agent.name, sales.tenant) == ("Sales", "Napoli")
    assert (other.agent.name, other.tenant) == ("Other", "Other")


def test_without_a_file_there_is_the_one_agent() -> None:
    alone = load_routes(None, "clinic")
    assert [route.name for route in alone] == [DEFAULT]
    assert alone.choose({"To": "+14155550100", "tenant": "any"}).tenant == "Lakeside Clinic"


def test_all_files_that_a_change_could_be_in_are_named(tmp_path: Path) -> None:
    found = routes(tmp_path).files
    assert {path.name for path in found} == {
        "routes.toml",
        "sales.toml",
        "support.toml",
        "other.toml",
    }


def test_a_route_is_another_when_what_is_heard_of_it_is(tmp_path: Path) -> None:
    (tmp_path / "hello.wav").write_bytes(b"one")
    prompt = '[prompts.hello]\ntext = "Hello."\nfile = "hello.wav"\n'
    (tmp_path / "desk.toml").write_text(f'name = "Desk"\ngreeting = "Hello."\n{prompt}')
    before = load_routes(None, str(tmp_path / "desk.toml"))
    assert tmp_path / "hello.wav" in before.files
    assert load_routes(None, str(tmp_path / "desk.toml")) == before
    (tmp_path / "hello.wav").write_bytes(b"another")
    assert load_routes(None, str(tmp_path / "desk.toml")).default != before.default


def test_what_is_wrong_is_named_with_its_file_line_and_field(tmp_path: Path) -> None:
    text = FILE.replace("numbers", "numbrs", 1).replace('"support.toml"', '"suport.toml"')
    text = text.replace('"+14155550111"', '"555 0111"').replace("tenant", "tenant_", 1)
    found = problems(tmp_path, text)
    assert "/routes.toml:4: routes.sales.numbrs is not known; did you mean numbers?" in found
    assert "/routes.toml:3: routes.sales.tenant_ is not known; did you mean tenant?" in found
    assert any(one.startswith("/routes.toml:13: routes.other.numbers.0 = '555 0") for one in found)


def test_an_agent_that_cannot_be_read_is_named_with_both_places(tmp_path: Path) -> None:
    text = FILE.replace('"support.toml"', '"suport.toml"')
    (problem,) = problems(tmp_path, text)
    assert problem == (
        "/routes.toml:7: routes.support.agent: /suport.toml: cannot be read: No such file or"
        " directory"
    )
    path = written(tmp_path)
    (tmp_path / "sales.toml").write_text(AGENT.format(name="x") + 'greting = "a"\n')
    with pytest.raises(RoutesError) as caught:
        load_routes(path, "clinic")
    (problem,) = caught.value.problems
    assert problem.endswith("/sales.toml:4: greting is no part of an agent; did you mean greeting?")
    (problem,) = problems(tmp_path, FILE.replace('"sales.toml"', '"clinik"'))
    assert problem.endswith("did you mean clinic?")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "/routes.toml: routes is missing"),
        ("[routes]", "/routes.toml:1: routes = {}: "),
        ("routes = 5", "/routes.toml:1: routes = 5: "),
        ("[routes.x]\nagent = 5", "/routes.toml:2: routes.x.agent = 5: "),
        ("[routes.x]", "/routes.toml:1: routes.x.agent is missing"),
        ('[routes."a b"]\nagent = "clinic"', "/routes.toml:1: routes.a b: the name of a route"),
        ('[routes.default]\nagent = "clinic"', "/routes.toml:1: routes.default is the name of"),
        ("[[", "/routes.toml: is not TOML: "),
        (
            '[routes.a]\nagent = "clinic"\nnumbers = ["1"]\n'
            '[routes.b]\nagent = "clinic"\nnumbers = ["1"]',
            "/routes.toml:6: routes.b.numbers: '1' is that of a, too",
        ),
        (
            '[routes.a]\nagent = "clinic"\n[routes.b]\nagent = "clinic"',
            "/routes.toml:3: routes.b: what it asks for is that of a, too",
        ),
    ],
)
def test_what_cannot_be_used_is_told(tmp_path: Path, text: str, told: str) -> None:
    (problem,) = problems(tmp_path, text)
    assert problem.startswith(told)


def test_the_agent_of_the_node_is_told_by_its_setting(tmp_path: Path) -> None:
    with pytest.raises(RoutesError, match="AYBIZA_AGENT='nobody': there is no agent"):
        load_routes(written(tmp_path), "nobody")
