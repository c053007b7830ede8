"""A wish, a safety note or restrictions that change after the decision reach the HCOP in every state."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from referrals.contact.readers.follow_ups import follow_ups_open
from referrals.intake.saving.save import import_cases
from referrals.models import (
    Arm,
    Case,
    FollowUp,
    FollowUpKind,
    Referral,
    ReferralNotice,
    Restriction,
)
from referrals.review.actions import drafts
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from tests.downloads import csv_rows
from tests.extracts import extract, reference, row
from tests.factories import (
    NOW,
    AllocationFactory,
    DecisionFactory,
    FollowUpFactory,
    ReferralFactory,
    SubmissionFactory,
    UserFactory,
)

pytestmark = pytest.mark.usefixtures("clock", "bcu")
ClientOf = Callable[[User], Client]
ASKED = "Please ring me on Tuesday"


@pytest.fixture
def bring(bcu, hcop):
    """Imports the extract of one report, with these cells."""

    def bring(at=NOW, **cells):
        import_cases(content=extract(row(1, **cells)), bcu=bcu, by=hcop, at=at)
        return Case.objects.get(crime_reference=reference(1))

    return bring


def _decided(case: Case, **decision: object) -> Case:
    submission = SubmissionFactory.create(bcu=case.bcu, submitted_at=NOW - timedelta(hours=1))
    DecisionFactory.create(case=case, submission=submission, **decision)
    Case.objects.filter(pk=case.pk).update(decided_at=submission.submitted_at)
    case.refresh_from_db()
    return case


def _not_suitable(case: Case) -> None:
    _decided(case, suitable=False, reason="outside_bcu", contact_by="home_bcu")


def _usual_by_ward(case: Case) -> None:
    _decided(case)


def _control(case: Case) -> None:
    AllocationFactory.create(case=_decided(case), arm=Arm.CONTROL)


def _closed(case: Case) -> None:
    ReferralFactory.create(case=_decided(case), closed=True)


def _completed(case: Case) -> None:
    ReferralFactory.create(case=_decided(case), completed=True)


WITHOUT_REFERRAL: dict[str, Callable[[Case], None]] = {
    "by ward": _usual_by_ward,
    "by chance": _control,
    "not suitable": _not_suitable,
}
NOT_OPEN = {**WITHOUT_REFERRAL, "closed": _closed, "completed": _completed}


@pytest.fixture(params=NOT_OPEN)
def case(request, bring):
    """A decided case whose victim nobody is to contact, in every state there is of it."""
    case = bring()
    NOT_OPEN[request.param](case)
    return case


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("contact_wishes", FollowUpKind.WISHES_CHANGED),
        ("safety_note", FollowUpKind.SAFETY_CHANGED),
    ],
)
def test_what_an_extract_changes_reaches_the_hcop_once(case, bring, hcop, supervisor, column, kind):
    bring(**{column: ASKED})
    [follow_up] = follow_ups_open(hcop)
    assert (follow_up.kind, follow_up.about, follow_up.attempt) == (kind, case, None)
    assert not follow_ups_open(supervisor)
    entry = AuditEntry.objects.get(action=Action.FOLLOW_UP_RAISED)
    assert case.crime_reference in entry.references
    assert ASKED not in str(entry.__dict__)
    bring(**{column: ASKED})
    assert FollowUp.objects.count() == 1
    bring(at=NOW + timedelta(days=1), **{column: "Not by telephone"})
    assert FollowUp.objects.count() == 2


def test_what_is_set_on_the_page_reaches_the_hcop_and_deputy(case, client_of, hcop, other_hcop):
    address = reverse("set_safety", args=[case.pk])
    assert address in client_of(hcop).get(reverse("case", args=[case.pk])).content.decode()
    client_of(hcop).post(address, {"restrictions": ["no_voicemail"], "note": ""})
    case.refresh_from_db()
    assert case.restrictions == [Restriction.NO_VOICEMAIL]
    [follow_up] = follow_ups_open(other_hcop)
    assert (follow_up.kind, follow_up.about, follow_up.raised_by) == (
        FollowUpKind.RESTRICTIONS_CHANGED,
        case,
        hcop,
    )
    drafts.set_safety(
        case_id=case.pk,
        restrictions=[Restriction.NO_VOICEMAIL],
        note="",
        seen=case.restrictions_set_at,
        by=hcop,
        at=NOW,
    )
    assert FollowUp.objects.count() == 1


def test_the_list_leads_to_the_case_and_somebody_takes_it_on_until_it_is_done(
    case, bring, client_of, hcop, other_hcop
):
    bring(contact_wishes=ASKED)
    browser = client_of(hcop)
    text = browser.get(reverse("follow_up_list"), {"kind": "wishes_changed"}).content.decode()
    assert reverse("case", args=[case.pk]) in text
    assert "Contact wishes changed" in text
    assert ASKED not in text
    assert AuditEntry.objects.filter(action=Action.LIST_SHOWN).latest("pk").references
    follow_up = FollowUp.objects.get(kind=FollowUpKind.WISHES_CHANGED)
    page = reverse("acknowledge_follow_up", args=[follow_up.pk])
    assert "It is yours to deal with now" in browser.post(page, follow=True).content.decode()
    follow_up.refresh_from_db()
    assert follow_up.acknowledged_by == hcop
    entry = AuditEntry.objects.get(action=Action.FOLLOW_UP_ACKNOWLEDGED)
    assert case.crime_reference in entry.references
    assert (
        "HCOP South West acknowledged this" in client_of(other_hcop).post(page, follow=True).content.decode()
    )
    done = browser.post(
        reverse("finish_follow_up", args=[follow_up.pk]), {"result": "told"}, follow=True
    ).content.decode()
    assert "Done: HCOP South West." in done
    told = browser.get(reverse("case", args=[case.pk])).content.decode()
    for title in ("To do: Contact wishes changed", "Taken on", "Done"):
        assert title in told


@pytest.mark.parametrize("state", WITHOUT_REFERRAL)
def test_of_a_case_without_a_referral_the_list_says_the_same_in_every_state(
    bring, client_of, hcop, supervisor, officer, north_hcop, state
):
    case = bring()
    WITHOUT_REFERRAL[state](case)
    bring(contact_wishes=ASKED)
    follow_up = FollowUp.objects.get()
    assert (follow_up.case, follow_up.referral) == (case, None)
    [told] = csv_rows(client_of(hcop), reverse("follow_up_list"))
    assert (told["Referral or case"], told["Ward"]) == (case.crime_reference, "Abbey")
    assert told["Raised by"] == "Crime record, imported by HCOP South West"
    page = reverse("acknowledge_follow_up", args=[follow_up.pk])
    for user in (supervisor, north_hcop):
        browser = client_of(user)
        assert case.crime_reference not in browser.get(reverse("follow_up_list")).content.decode()
        assert browser.post(page).status_code == 404
    assert client_of(officer).post(page).status_code == 404


def test_while_a_case_waits_or_its_referral_is_open_nobody_else_is_asked(bring):
    case = bring()
    draft = DecisionFactory.create(case=case)
    bring(contact_wishes=ASKED)
    seen, draft.version = draft.version, draft.__class__.objects.get().version
    assert draft.version > seen, "who checked the draft has to look again"
    assert not FollowUp.objects.exists()
    draft.delete()
    ReferralFactory.create(case=_decided(case))
    bring(contact_wishes="Not by telephone")
    assert ReferralNotice.objects.get().changed == ["contact_wishes"]
    assert not FollowUp.objects.exists()


def test_what_comes_with_a_record_put_right_is_told_to_the_team_alone(bring):
    case = bring()
    ReferralFactory.create(case=_decided(case))
    bring(crime_status="Cancelled")
    bring(crime_status="Recorded", contact_wishes=ASKED)
    assert Referral.objects.get().status == "open"
    assert "contact_wishes" in ReferralNotice.objects.get().changed
    assert list(FollowUp.objects.values_list("kind", flat=True)) == [FollowUpKind.RULED_OUT]


def test_a_follow_up_is_about_a_referral_or_a_case_and_not_both(bring):
    case = bring()
    referral = ReferralFactory.create()
    given = {"attempt": None, "raised_at": NOW, "raised_by": UserFactory.create(), "kind": "wishes_changed"}
    for both in ({"case": case, "referral": referral}, {"case": None, "referral": None}):
        with pytest.raises(IntegrityError, match="follow_up_of_a_referral_or_a_case"), transaction.atomic():
            FollowUpFactory.create(**given, **both)
    with pytest.raises(IntegrityError, match="follow_up_of_a_referral_or_a_case"), transaction.atomic():
        FollowUpFactory.create(**{**given, "kind": "ruled_out"}, case=case, referral=None)
