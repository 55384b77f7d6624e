"""Plans in which another provider helps out have all that this one may do, and may fail to do."""

import random

from aybiza.faults.plan import Plan
from aybiza.faults.random_others import DRAWN, with_others
from aybiza.faults.random_plans import plan_of


def test_all_that_another_provider_may_do_is_drawn_beside_what_it_takes_over_from() -> None:
    plans = [with_others(random.Random(n), Plan(), {"at": 1.0}) for n in range(700)]
    assert {fault.what for plan in plans for fault in plan.faults} == DRAWN
    helpers = {"second_voice", "last_model", "voice"}
    assert all(helpers & set(plan.agent) for plan in plans)


def test_some_plans_of_the_search_have_another_provider() -> None:
    plans = [plan_of(1, number) for number in range(200)]
    assert {"second_voice", "last_model"} <= {key for plan in plans for key in plan.agent}
