"""A trial brought from draft to recruitment by the two people that it takes."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.utils import timezone

from referrals.models import ApprovalKind, Bcu, Trial, Ward
from referrals.rules.trial.allocation import Design, Scheme
from referrals.rules.trial.protocol import Conduct, Expected
from referrals.trial.actions.design import draft_trial, name_registrar, record_approval
from referrals.trial.actions.life import (
    open_recruitment,
    proposal_digest,
    propose,
    seal,
)
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


def begin_trial(
    *,
    bcu: Bcu,
    name: str,
    target: int,
    boroughs: Collection[str],
    follow_up_days: int = 60,
    lead: User,
    leader: User,
    at: datetime,
) -> Trial:
    """A trial in all wards of the boroughs, in blocks of 4, 6 or 8 in each."""
    strata = Ward.objects.filter(borough__bcu=bcu, borough__name__in=boroughs)
    codes = sorted(set(strata.values_list("borough__code", flat=True)))
    return begin_trial_of(
        Design(Scheme.STRATIFIED_BLOCKS, target=target, block_sizes=(4, 6, 8), strata=tuple(codes)),
        stratified_by="borough",
        bcu=bcu,
        name=name,
        boroughs=boroughs,
        follow_up_days=follow_up_days,
        lead=lead,
        leader=leader,
        at=at,
    )


def begin_trial_of(
    design: Design,
    *,
    stratified_by: str = "",
    bcu: Bcu,
    name: str,
    boroughs: Collection[str],
    follow_up_days: int = 60,
    lead: User,
    leader: User,
    at: datetime,
) -> Trial:
    """A trial of that design, which recruits for a year in all wards of the boroughs.

    The lead proposes and opens it, the leader seals it.
    """
    wards = Ward.objects.filter(borough__bcu=bcu, borough__name__in=boroughs)
    today = timezone.localdate(at)
    trial = draft_trial(
        bcu=bcu,
        name=name,
        design=design,
        stratified_by=stratified_by,
        conduct=Conduct(
            question=QUESTION,
            eligibility=ELIGIBILITY,
            wards=tuple(wards.values_list("code", flat=True)),
            recruits_from=today,
            recruits_until=today + timedelta(days=364),
            follow_up_days=follow_up_days,
            expected=Expected(control=31, src=24, charge=5, complied=80, contaminated=3, lost=2),
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
    seal(trial_id=trial.pk, digest=proposal_digest(trial), by=leader, at=at)
    return open_recruitment(trial_id=trial.pk, by=lead, at=at)
