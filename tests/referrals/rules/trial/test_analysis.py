"""The analysis plan."""

import csv
from datetime import date

import pytest
from django.conf import settings

from referrals.rules.trial.analysis import (
    CURRENT_DEFINITION,
    OUTCOME_DEFINITIONS,
    Estimate,
    ImpossiblePlan,
    OpenCases,
    Outcome,
    Plan,
    PlannedLook,
    Test,
    document_of,
    plan_of,
)
from referrals.rules.trial.draws import canonical


def test_a_plan_is_the_same_after_it_was_written_down() -> None:
    plan = Plan(
        primary=Outcome.CHARGE,
        estimate=Estimate.RISK_DIFFERENCE,
        test=Test.FISHER_EXACT,
        sides=1,
        open_cases=OpenCases.LEFT_OUT,
        looks=(PlannedLook(date(2027, 3, 1), "leader"), PlannedLook(date(2027, 6, 1), "statistician")),
    )
    assert plan_of(document_of(plan)) == plan
    assert canonical(document_of(plan))


def test_the_other_outcomes_are_the_secondary_family() -> None:
    assert document_of(Plan())["secondary"] == ["charge", "positive"]


def test_the_definition_is_that_of_the_outcome_codes_in_use() -> None:
    path = settings.BASE_DIR / "outcomes" / "data" / "outcome_codes.csv"
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for name, codes_in_use in OUTCOME_DEFINITIONS[CURRENT_DEFINITION].items():
        assert codes_in_use == tuple(int(row["code"]) for row in rows if row[name] == "1")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"sides": 3}, "one side or two"),
        ({"definition": "0"}, "no version 0"),
        ({"looks": (PlannedLook(date(2027, 3, 1), "a"), PlannedLook(date(2027, 3, 1), "b"))}, "one a day"),
    ],
    ids=["sides", "definition", "looks"],
)
def test_what_cannot_be_is_refused_in_one_sentence(given: dict[str, object], says: str) -> None:
    with pytest.raises(ImpossiblePlan, match=says):
        Plan(**given)  # type: ignore[arg-type]
