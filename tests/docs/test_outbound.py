"""docs/outbound.md: its files are read as they stand, and it names every reason and outcome."""

from __future__ import annotations

import re
from pathlib import Path

from aybiza.config.agents import agent_of
from aybiza.config.outbound import load_campaign, load_rules
from aybiza.dialogue.outbound.ledger import DONE, OVER
from aybiza.dialogue.outbound.permission import CHECKS

PAGE = (Path(__file__).parents[2] / "docs/outbound.md").read_text(encoding="utf-8")
RULES, AGENT, CAMPAIGN = re.findall(r"```toml\n(.*?)```", PAGE, re.S)


def test_the_files_can_be_used(tmp_path: Path) -> None:
    for name, text in (("outbound.toml", RULES), ("campaign.toml", CAMPAIGN)):
        (tmp_path / name).write_text(text)
    for name in ("opt_in.csv", "do_not_call.csv"):
        (tmp_path / name).write_text("")
    rules = load_rules(tmp_path / "outbound.toml")
    campaign = load_campaign(tmp_path / "campaign.toml")
    assert campaign.file.from_number in rules.file.own_numbers
    agent = agent_of(AGENT, "clinic.toml")
    assert agent.outbound is not None and agent.outbound.voicemail == "leave"


def test_it_has_each_reason_and_each_outcome() -> None:
    rows = "\n".join(line for line in PAGE.splitlines() if line.startswith("|"))
    told = set(re.findall(r"`([a-z_]+)`", rows))
    assert set(CHECKS) <= told
    assert {"not_placed", *OVER - {"completed"}, *DONE} <= told
