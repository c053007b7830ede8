"""What one account may do next with a referral, and what the page says about it."""

from dataclasses import dataclass

from referrals.contact.readers.cards import is_officer_in_case, is_with_officer_in_case, reasons_to_close
from referrals.models import Referral, ReferralStatus
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
    close: bool
    remind: bool
    officer_notice: str
    closure: str

    @property
    def is_any_for_contact(self) -> bool:
        """Whether there is a button at all for whoever makes contact."""
        return self.log or self.take or self.give_back or self.close


def choices_for(referral: Referral, user: User) -> ReferralChoices:
    """What this account may do with one of ``referrals_to_open``; the actions refuse everything else."""
    is_open = referral.status == ReferralStatus.OPEN
    contacts = user.can(Permission.CONTACT_VICTIMS)
    supervises = user.can(Permission.CHASE_REFERRALS)
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
        close=may_contact and is_open and bool(reasons_to_close(referral, user)),
        remind=supervises and is_open,
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
