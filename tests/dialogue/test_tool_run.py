"""One use of a tool."""

from aybiza.dialogue.tool_run import ToolRun


def test_a_use_of_nobody_in_particular_was_asked_and_said_nothing() -> None:
    use = ToolRun("look_up", "t1", {"what": 1}, "CA1")
    assert (use.caller, use.turn, use.said, use.asked) == ("", 0, "", "")
