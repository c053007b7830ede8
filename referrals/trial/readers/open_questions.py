"""What a trial balances by and an extract left open."""

from referrals.models import Case, Question, Trial
from referrals.rules.trial.protocol import parts_of

_DECIDES = {Question.REPEAT_VICTIM: "repeat_victim", Question.STRANDS: "race"}


def questions_that_decide(trial: Trial, case: Case) -> list[str]:
    """The open questions about a case, in words, whose answers are its stratum or a factor in this trial."""
    balanced = {*parts_of(trial.stratified_by), *(factor.name for factor in trial.design.factors)}
    return [
        question.label
        for question, name in _DECIDES.items()
        if question in case.questions and name in balanced
    ]
