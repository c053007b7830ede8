"""A trial brought from draft to recruitment by the two people that it takes."""

from datetime import datetime, timedelta

from django.utils import timezone

from referrals.actions.trial_design import draft_trial, name_registrar, record_approval
from referrals.actions.trial_life import open_recruitment, propose, seal
from referrals.models import ApprovalKind, Bcu, Borough, Trial, Ward
from referrals.rules.allocation import Design, Scheme
from referrals.rules.protocol import Conduct
from src_app.accounts.models import User

REGISTRARS = (
    ("University library", "registry@library.example.org"),
    ("Police and Crime Commissioner", "trials@commissioner.example.org"),
)
QUESTION = (
    "Do fewer victims of hate crime withdraw support when a neighbourhood officer contacts them as well?"
)
ELIGIBILITY = (
    "Hate crimes reported in a ward of the trial, with an individual victim who lives in the BCU. Hate "
    "incidents that are no crime are out; so is who is referred at once, for high risk or at their own wish."
)


def begin_trial(*, bcu: Bcu, name: str, target: int, lead: User, leader: User, at: datetime) -> Trial:
    """A trial that recruits for a year in all wards of the BCU, in blocks of 4, 6 or 8 by borough."""
    boroughs = Borough.objects.filter(bcu=bcu).order_by("code").values_list("code", flat=True)
    design = Design(Scheme.STRATIFIED_BLOCKS, target=target, block_sizes=(4, 6, 8), strata=tuple(boroughs))
    return begin_trial_of(
        design, stratified_by="borough", bcu=bcu, name=name, lead=lead, leader=leader, at=at
    )


def begin_trial_of(
    design: Design, *, stratified_by: str = "", bcu: Bcu, name: str, lead: User, leader: User, at: datetime
) -> Trial:
    """A trial of that design, for a year in all wards of the BCU.

    The lead proposes and opens it, the leader seals it.
    """
    codes = Ward.objects.filter(borough__bcu=bcu).order_by("code").values_list("code", flat=True)
    today = timezone.localdate(at)
    trial = draft_trial(
        bcu=bcu,
        name=name,
        design=design,
        stratified_by=stratified_by,
        conduct=Conduct(
            question=QUESTION,
            eligibility=ELIGIBILITY,
            wards=tuple(codes),
            recruits_from=today,
            recruits_until=today + timedelta(days=364),
            follow_up_days=60,
        ),
        by=lead,
    )
    for number, kind in enumerate(ApprovalKind, start=1):
        record_approval(
            trial_id=trial.pk,
            kind=kind,
            reference=f"SW/{today:%Y}/{number:03}",
            given_by=f"{kind.label}, made up for this system",
            given_on=today,
            by=lead,
            at=at,
        )
    for registrar, email in REGISTRARS:
        name_registrar(trial_id=trial.pk, name=registrar, email=email, by=lead)
    trial = propose(trial_id=trial.pk, by=lead, at=at)
    seal(trial_id=trial.pk, digest=trial.protocol_digest, by=leader, at=at)
    return open_recruitment(trial_id=trial.pk, by=lead, at=at)
