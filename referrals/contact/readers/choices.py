"""What one account may do next with a referral, and what the page says about it."""

from dataclasses import dataclass

from django.utils import timezone

from referrals.cases.readers import standing_findings
from referrals.contact.readers.referrals import (
    is_officer_in_case,
    is_with_officer_in_case,
    results_that_stand,
)
from referrals.deadlines.readers import deadlines_of_ward
from referrals.models import (
    CLOSED_BY_TEAM,
    CloseReason,
    ContactAttempt,
    Method,
    Referral,
    ReferralStatus,
    Restriction,
    Result,
    TextKind,
)
from referrals.rules.contact import CONTACT_MADE, methods_barred, results_barred, why_not_close
from referrals.scope import referrals_led_by
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.templatetags.words import moment


@dataclass(frozen=True)
class ReferralChoices:
    """What is offered on the page of a referral.

    ``log_is_main``: to log contact is what this account is here for. ``officer_notice``: what to do because
    somebody is the officer in the case. ``closure``: how it was closed without contact. Both are empty where
    there is nothing to say.
    """

    log: bool
    log_is_main: bool
    take: bool
    give_back: bool
    give: bool
    close: bool
    stop: bool
    go_on: bool
    remind: bool
    transfer: bool
    reopen: bool
    officer_notice: str
    closure: str

    @property
    def is_any_for_contact(self) -> bool:
        """Whether there is a button at all for whoever makes contact."""
        offered = (self.log, self.take, self.give_back, self.give, self.close, self.stop, self.go_on)
        return any(offered)


def choices_for(referral: Referral, user: User) -> ReferralChoices:
    """What this account may do with one of ``referrals_to_open``; the actions refuse everything else."""
    is_open = referral.status == ReferralStatus.OPEN
    now = timezone.now()
    is_stopped = referral.is_stopped(now)
    contacts = user.can(Permission.CONTACT_VICTIMS)
    supervises = user.can(Permission.CHASE_REFERRALS)
    # An HCOP also sees what another BCU's team has of their own cases.
    in_charge = supervises and (contacts or leads(referral, user))
    is_theirs = referral.taken_by == user
    is_taken = referral.taken_by is not None
    may_contact = contacts and not is_officer_in_case(referral, user)
    log = may_contact and referral.status != ReferralStatus.COMPLETED
    give_back = contacts and is_open and is_taken and (is_theirs or supervises)
    return ReferralChoices(
        log=log,
        log_is_main=log and is_open and (is_theirs or not is_taken),
        take=may_contact and is_open and not is_taken,
        give_back=give_back,
        give=contacts and is_open and (is_theirs or supervises),
        close=may_contact and is_open and bool(reasons_to_close(referral, user)),
        stop=may_contact and is_open and not is_stopped and referral.due_at >= now,
        go_on=may_contact and is_stopped,
        remind=in_charge and is_open and not is_stopped,
        transfer=in_charge and is_open,
        reopen=supervises and may_contact and not is_open and can_open_again(referral),
        officer_notice=_officer_notice(referral, user, give_back=give_back),
        closure=_closure(referral, log=log),
    )


def _officer_notice(referral: Referral, user: User, *, give_back: bool) -> str:
    if user.can(Permission.CONTACT_VICTIMS) and is_officer_in_case(referral, user):
        words = (
            "You are the officer in the case: SRC comes from somebody else. A colleague of the team or your "
            "supervisor makes this contact."
        )
        return f"{words} Return it to the team now." if give_back else words
    if referral.status == ReferralStatus.OPEN and is_with_officer_in_case(referral):
        return f"{referral.taken_by} has it and is the officer in the case: a colleague must take it over."
    return ""


def _closure(referral: Referral, *, log: bool) -> str:
    if referral.status != ReferralStatus.CLOSED:
        return ""
    reason = referral.get_close_reason_display().lower()
    words = f"Closed without contact: {reason}. {referral.closed_by}, {moment(referral.closed_at)}."
    if referral.ruled_out_since:
        words += " Make no contact for it now."
    if log:
        words += " If contact was made after all, log it: then that is what counts."
    return words


def leads(referral: Referral, user: User) -> bool:
    """Whether the account is in charge of the team that has it."""
    return referrals_led_by(user).filter(pk=referral.pk).exists()


def can_open_again(referral: Referral) -> bool:
    """Whether its team ended it, and neither the crime record nor the HCOP ruled it out."""
    is_of_team = not referral.ruled_out_since and referral.close_reason in ("", *CLOSED_BY_TEAM)
    return is_of_team and not standing_findings().filter(case=referral.case_id).exists()


@dataclass(frozen=True)
class AttemptChoices:
    """What the page for logging contact offers at once, folds away, and names as ruled out.

    ``interpreter``: whether one may be needed, so that nobody has to look for the tick: a restriction says
    so, or the victim has a need in how they communicate.
    """

    methods: list[tuple[str, str]]
    methods_other: list[tuple[str, str]]
    methods_barred: list[tuple[str, str]]
    results: list[tuple[str, str]]
    results_other: list[tuple[str, str]]
    results_barred: list[tuple[str, str]]
    interpreter: bool


_METHODS_AT_ONCE = (Method.TELEPHONE, Method.HOME_VISIT)
_AT_ONCE = (Result.CONTACT_MADE, Result.NO_ANSWER, Result.MESSAGE_LEFT)


def attempt_choices_for(referral: Referral) -> AttemptChoices:
    """What can be logged of a referral.

    What the restrictions rule out is folded away, and can still be recorded if it was done.
    """
    restrictions = referral.case.restrictions
    no_methods, no_results = methods_barred(restrictions), results_barred(restrictions)
    methods = [each for each in Method.choices if each[0] not in no_methods]
    # After a referral was closed without contact, the one thing left to log is that contact was made.
    ended = referral.status != ReferralStatus.OPEN
    results = [each for each in Result.choices if not ended or each[0] == CONTACT_MADE]
    return AttemptChoices(
        methods=[each for each in methods if each[0] in _METHODS_AT_ONCE],
        methods_other=[each for each in methods if each[0] not in _METHODS_AT_ONCE],
        methods_barred=[each for each in Method.choices if each[0] in no_methods],
        results=[each for each in results if each[0] in _AT_ONCE and each[0] not in no_results],
        results_other=[each for each in results if each[0] not in _AT_ONCE],
        results_barred=[each for each in results if each[0] in no_results],
        interpreter=Restriction.INTERPRETER in restrictions
        or any(text.body for text in referral.case.texts.all() if text.kind == TextKind.COMMUNICATION_NEED),
    )


def reasons_to_close(referral: Referral, user: User) -> list[CloseReason]:
    """The reasons its attempts have shown, the one of the latest attempt first."""
    results = results_that_stand(referral)
    least = deadlines_of_ward(referral.ward_id, timezone.now()).least_attempts
    shown = [
        reason
        for reason in CloseReason
        if not why_not_close(
            reason, results=results, decides_safety=user.can(Permission.CHASE_REFERRALS), least=least
        )
    ]
    return sorted(shown, key=lambda reason: reason != (results[-1] if results else ""))


@dataclass(frozen=True)
class LoggedAttempt:
    """An attempt as the page of its referral lists it, with the row that withdraws it."""

    attempt: ContactAttempt
    withdrawal: ContactAttempt | None
    may_withdraw: bool


def attempts_of(referral: Referral, user: User) -> list[LoggedAttempt]:
    """The attempts of one of ``referrals_to_open``, oldest first, withdrawn ones among them."""
    contacts = user.can(Permission.CONTACT_VICTIMS)
    supervises = contacts and user.can(Permission.CHASE_REFERRALS)
    listed = []
    for attempt in referral.attempts.all():
        withdrawal = getattr(attempt, "withdrawn_by", None)
        own = contacts and user in (attempt.made_by, attempt.entered_by)
        listed.append(LoggedAttempt(attempt, withdrawal, withdrawal is None and (own or supervises)))
    return listed
