"""Child specifications: what they default to, and what is wrong with wrong ones."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.actors.runtime import GenServer
from aybiza.supervisors import (
    BRUTAL_KILL,
    INFINITY,
    ChildSpec,
    DynamicSupervisor,
    Supervisor,
    SupervisorError,
    check_childspecs,
    child,
)
from aybiza.supervisors.child_spec import StartLink, checked, checked_dynamic
from tests.supervisors.hand import never_called


class Worker(GenServer):
    """Does nothing."""


def given(**fields: Any) -> dict[str, Any]:
    return {"id": "a", "start": never_called, **fields}


WRONG: list[tuple[Any, Any]] = [
    ("hej", ("invalid_child_spec", "hej")),
    ({"start": never_called}, "missing_id"),
    ({"id": "a"}, "missing_start"),
    (given(id=[]), ("invalid_child_id", [])),
    (given(start="mfa"), ("invalid_mfa", "mfa")),
    (given(restart="prmanent"), ("invalid_restart_type", "prmanent")),
    (given(significant="maybe", restart="transient"), ("invalid_significant", "maybe")),
    (given(type="wrker"), ("invalid_child_type", "wrker")),
    (given(shutdown=-10), ("invalid_shutdown", -10)),
    (given(shutdown="soon"), ("invalid_shutdown", "soon")),
    (given(shutdown=True), ("invalid_shutdown", True)),
    (given(shutdown=float("nan")), ("invalid_shutdown", pytest.approx(float("nan"), nan_ok=True))),
    (given(modules="dy"), ("invalid_modules", "dy")),
    (given(modules=[Worker, 1]), ("invalid_module", 1)),
    (
        given(significant=True),
        ("bad_combination", [("restart", "permanent"), ("significant", True)]),
    ),
]


class TestChild:
    def test_takes_the_name_of_the_class_as_id_and_five_seconds_to_shut_down(self) -> None:
        spec = child(Worker, 1, colour="red")
        assert (spec.id, spec.type, spec.restart) == ("Worker", "worker", "permanent")
        assert spec.shutdown == 5.0
        assert spec.start == StartLink(Worker, (1,), {"colour": "red"}, None, 5.0)

    def test_takes_the_registered_name_as_id(self) -> None:
        assert child(Worker, name="w").id == "w"
        assert child(Worker, name="w", id="x").id == "x"

    @pytest.mark.parametrize("server", [Supervisor, DynamicSupervisor])
    def test_gives_a_supervisor_all_the_time_it_needs(self, server: type[GenServer]) -> None:
        spec = child(server)
        assert (spec.type, spec.shutdown) == ("supervisor", INFINITY)
        assert isinstance(spec.start, StartLink)
        assert spec.start.timeout is None

    def test_passes_the_settings_on(self) -> None:
        spec = child(Worker, restart="transient", significant=True, shutdown=BRUTAL_KILL)
        assert (spec.restart, spec.significant, spec.shutdown) == ("transient", True, BRUTAL_KILL)


class TestChecked:
    @pytest.mark.parametrize(("spec", "term"), WRONG)
    def test_names_what_is_wrong_in_the_words_of_otp(self, spec: Any, term: Any) -> None:
        with pytest.raises(SupervisorError) as caught:
            checked(spec)
        assert caught.value.term == term

    def test_gives_a_mapping_the_defaults_of_its_type(self) -> None:
        assert checked(given()).shutdown == 5.0
        assert checked(given(type="supervisor")).shutdown == INFINITY
        assert checked(given()).modules == (never_called,)

    def test_refuses_a_significant_child_where_nothing_shuts_down_by_itself(self) -> None:
        spec = checked(given(restart="temporary", significant=True), "any_significant")
        with pytest.raises(SupervisorError) as caught:
            checked(spec, "never")
        assert caught.value.term == (
            "bad_combination",
            [("auto_shutdown", "never"), ("significant", True)],
        )

    def test_lets_a_complete_spec_through_unchanged(self) -> None:
        spec = child(Worker)
        assert checked(spec, "never") is spec

    def test_a_worker_may_have_no_limit_and_no_time(self) -> None:
        assert checked(given(shutdown=INFINITY)).shutdown == INFINITY
        assert checked(given(shutdown=0)).shutdown == 0


class TestCheckedDynamic:
    @pytest.mark.parametrize(
        "spec",
        [{"start": never_called}, {"id": "a"}, given(start="mfa")],
        ids=["no id", "no start", "a name for a start"],
    )
    def test_wants_an_id_and_a_start_function(self, spec: Any) -> None:
        with pytest.raises(SupervisorError) as caught:
            checked_dynamic(spec)
        assert caught.value.term == ("invalid_child_spec", spec)

    def test_raises_in_the_caller_for_a_type_that_is_none(self) -> None:
        with pytest.raises(ValueError, match="'wrker'"):
            checked_dynamic(given(type="wrker"))

    def test_raises_in_the_caller_for_what_is_no_spec_at_all(self) -> None:
        with pytest.raises(TypeError, match="'hej'"):
            checked_dynamic("hej")

    def test_takes_no_shutdown_time_of_zero(self) -> None:
        with pytest.raises(SupervisorError) as caught:
            checked_dynamic(given(shutdown=0))
        assert caught.value.term == ("invalid_shutdown", 0)

    def test_knows_no_significant_children(self) -> None:
        assert not checked_dynamic(given(significant=True)).significant
        spec = child(Worker, restart="transient", significant=True)
        assert not checked_dynamic(spec).significant


class TestCheckChildspecs:
    def test_keeps_the_order(self) -> None:
        specs = check_childspecs([given(id="b"), given(id="a")])
        assert [spec.id for spec in specs] == ["b", "a"]

    def test_wants_different_ids(self) -> None:
        with pytest.raises(SupervisorError) as caught:
            check_childspecs([given(), given(id="b"), given()])
        assert caught.value.term == ("duplicate_child_name", "a")

    @pytest.mark.parametrize("specs", ["ab", {"id": "a"}, 7])
    def test_wants_a_list(self, specs: Any) -> None:
        with pytest.raises(SupervisorError) as caught:
            check_childspecs(specs)
        assert caught.value.term == ("badarg", specs)


class TestChildSpec:
    def test_cannot_be_made_wrong(self) -> None:
        with pytest.raises(SupervisorError) as caught:
            ChildSpec(id="a", start=never_called, restart="prmanent")  # type: ignore[arg-type]
        assert caught.value.term == ("invalid_restart_type", "prmanent")
        assert "permanent, transient or temporary" in str(caught.value)
