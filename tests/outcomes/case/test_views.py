"""The page of one case."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags

from referrals.models import Arm, Case, Referral, Restriction, Result, TextKind, TrialStatus
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from tests.conftest import World
from tests.factories import (
    AllocationFactory,
    ContactAttemptFactory,
    ControlCheckFactory,
    CrimeRecordEventFactory,
    DecisionFactory,
    DeviationFactory,
    FollowUpFactory,
    HandOverFactory,
    NotificationFactory,
    OutcomeCodeFactory,
    PersonalTextFactory,
    RecordedOutcomeFactory,
    ReferralNoticeFactory,
    SubmissionFactory,
    advance,
)

ClientOf = Callable[[User], Client]
MakeCase = Callable[..., Case]
MakeReferral = Callable[..., Referral]
Words = Callable[[Case], str]
pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def words(client_of: ClientOf, hcop: User) -> Words:
    """The page's words as the HCOP reads them."""

    def words(case: Case) -> str:
        response = client_of(hcop).get(reverse("case", args=[case.pk]))
        assert response.status_code == 200
        return " ".join(strip_tags(response.content.decode().split("<main")[1]).split())

    return words


def test_one_time_line_tells_what_happened_when_and_who_did_it(
    words: Words, make_referral: MakeReferral, hcop: User, colleague: User, now: datetime
) -> None:
    made = now - timedelta(hours=20)
    referral = make_referral(
        made_at=made,
        made_by=hcop,
        taken_by=colleague,
        taken_at=made + timedelta(hours=1),
        flag_confirmed_by=hcop,
        flag_confirmed_at=made + timedelta(minutes=20),
        case__imported_at=made - timedelta(hours=1),
        case__reported_at=made - timedelta(hours=9),
    )
    case = referral.case
    submission = SubmissionFactory.create(bcu=case.bcu, submitted_by=hcop, submitted_at=made)
    DecisionFactory.create(case=case, submission=submission)
    NotificationFactory.create(referral=referral, sent_at=made + timedelta(minutes=1))
    ContactAttemptFactory.create(
        referral=referral, made_by=colleague, made_at=made + timedelta(hours=2), result=Result.NO_ANSWER
    )
    wrong = ContactAttemptFactory.create(
        referral=referral, made_by=colleague, made_at=made + timedelta(hours=3), result=Result.MESSAGE_LEFT
    )
    ContactAttemptFactory.create(
        referral=referral, made_by=colleague, made_at=made + timedelta(hours=4), withdraws=wrong
    )
    RecordedOutcomeFactory.create(
        case=case,
        code=OutcomeCodeFactory.create(code=16),
        recorded_at=now - timedelta(hours=1),
        imported_by=hcop,
    )
    page = words(case)
    told = [
        f"Reported 22 November 2026, 2:30am {case.offence}",
        "Imported 22 November 2026, 10:30am",
        f"Suitable 22 November 2026, 11:30am · {hcop} Referred for SRC.",
        f"Referred: {referral.number} 22 November 2026, 11:30am · {hcop} To {referral.team}.",
        f"E-mail sent: new referral 22 November 2026, 11:31am To {referral.team.mailbox}.",
        f"Flag confirmed 22 November 2026, 11:50am · {hcop}",
        f"Taken 22 November 2026, 12:30pm · {colleague}",
        f"No answer 22 November 2026, 1:30pm · {colleague} Telephone.",
        f"Message left 22 November 2026, 2:30pm · {colleague} Telephone.",
        f"Attempt withdrawn 22 November 2026, 3:30pm · {colleague}",
        f"Outcome 16 Outcome 16 23 November 2026, 6:30am Imported 23 November 2026, 7:30am by {hcop}.",
    ]
    places = [page.find(line) for line in told]
    assert -1 not in places, [line for line, place in zip(told, places, strict=True) if place < 0]
    assert places == sorted(places)


def test_restrictions_and_safety_come_first(
    words: Words, make_case: MakeCase, hcop: User, now: datetime
) -> None:
    case = make_case(
        restrictions=[Restriction.NO_HOME_VISIT], restrictions_set_at=now, restrictions_set_by=hcop
    )
    PersonalTextFactory.create(case=case, kind=TextKind.SAFETY_NOTE, body="Dog at address")
    PersonalTextFactory.create(case=case, kind=TextKind.CONTACT_WISHES, body="After 6pm")
    page = words(case)
    assert page.index("No home visit") < page.index("Dog at address") < page.index("Wishes: After 6pm")
    assert page.index("Wishes: After 6pm") < page.index("What happened")
    assert f"Restrictions set 23 November 2026, 7:30am · {hcop}" in page
    assert "Waits in the overnight review" in page


def test_what_changed_after_the_decision_is_on_the_time_line(
    words: Words, make_referral: MakeReferral, world: World, hcop: User, colleague: User, now: datetime
) -> None:
    made = now - timedelta(hours=20)
    referral = make_referral(
        made_at=made,
        made_by=hcop,
        ward=world.wards[1],
        flag_confirmed_at=made + timedelta(hours=1),
        flag_confirmed_by=hcop,
        ruled_out_since=made + timedelta(hours=4),
        flag_removed_at=made + timedelta(hours=5),
        flag_removed_by=hcop,
        case__crime_status="cancelled",
        case__hate_flag=False,
    )
    HandOverFactory.create(
        referral=referral,
        from_ward=world.wards[0],
        from_team=world.teams[0],
        handed_at=made + timedelta(hours=2),
        handed_by=hcop,
    )
    ReferralNoticeFactory.create(
        referral=referral,
        changed=["contact_wishes", "safety_note"],
        noticed_at=made + timedelta(hours=3),
        noticed_by=hcop,
        read_at=made + timedelta(hours=3, minutes=10),
        read_by=colleague,
    )
    CrimeRecordEventFactory.create(case=referral.case, noticed_at=made + timedelta(hours=4), noticed_by=hcop)
    FollowUpFactory.create(
        attempt=None,
        referral=referral,
        kind="ruled_out",
        raised_at=made + timedelta(hours=4, minutes=1),
        raised_by=hcop,
        acknowledged_at=made + timedelta(hours=6),
        acknowledged_by=hcop,
        done_at=made + timedelta(hours=7),
        done_by=hcop,
    )
    page = words(referral.case).replace("&#x27;", "'")
    told = [
        f"Referred: {referral.number} 22 November 2026, 11:30am · {hcop} To Abbey team.",
        f"Handed over 22 November 2026, 1:30pm · {hcop} From Abbey team to Colliers Wood team: the victim's",
        f"Changed: contact wishes, safety note 22 November 2026, 2:30pm · {hcop}",
        f"Change read 22 November 2026, 2:40pm · {colleague} Contact wishes, safety note.",
        f"Crime cancelled 22 November 2026, 3:30pm · {hcop}",
        "To do: Closed by the crime record: who contacts the victim? 22 November 2026, 3:31pm",
        f"Flag removed 22 November 2026, 4:30pm · {hcop}",
        f"Taken on 22 November 2026, 5:30pm · {hcop}",
        f"Done 22 November 2026, 6:30pm · {hcop}",
    ]
    places = [page.find(line) for line in told]
    assert -1 not in places, [line for line, place in zip(told, places, strict=True) if place < 0]
    assert places == sorted(places)
    assert "Crime record now Crime cancelled Hate flag taken off" in page


def test_restrictions_can_be_changed_from_here_once_the_case_is_decided(
    client_of: ClientOf, make_referral: MakeReferral, make_case: MakeCase, hcop: User, now: datetime
) -> None:
    still, done, control = make_referral().case, make_referral(completed=True).case, make_case(decided_at=now)
    for case, offered in ((still, True), (done, True), (control, True), (make_case(), False)):
        html = client_of(hcop).get(reverse("case", args=[case.pk])).content.decode()
        assert (reverse("set_safety", args=[case.pk]) in html) is offered


def test_a_control_after_submission_gets_usual_service(
    words: Words, make_case: MakeCase, now: datetime
) -> None:
    case = make_case(decided_at=now)
    DecisionFactory.create(case=case, submission=SubmissionFactory.create(bcu=case.bcu))
    AllocationFactory.create(case=case, arm=Arm.CONTROL)
    page = words(case)
    assert "Usual service." in page
    assert not re.search(r"\b(arm|control|stratum)\b", page, re.IGNORECASE)


def test_deviations_withdrawn_ones_and_the_check_are_on_the_time_line(
    words: Words, make_case: MakeCase, hcop: User, other_hcop: User, now: datetime
) -> None:
    allocation = AllocationFactory.create(
        case=make_case(decided_at=now), arm=Arm.CONTROL, allocated_at=now - timedelta(days=30)
    )
    recorded = [now - timedelta(hours=hours) for hours in (5, 4, 3)]
    mistake = DeviationFactory.create(allocation=allocation, recorded_at=recorded[0], recorded_by=hcop)
    DeviationFactory.create(
        allocation=allocation, withdraws=mistake, recorded_at=recorded[1], recorded_by=other_hcop
    )
    DeviationFactory.create(
        allocation=allocation,
        kind="for_safety",
        ordered_by="Insp 4021",
        happened_on=recorded[2].date() - timedelta(days=1),
        recorded_at=recorded[2],
        recorded_by=hcop,
    )
    ControlCheckFactory.create(allocation=allocation, contacted=True, checked_by=other_hcop)
    page = words(allocation.case)
    accident = "The neighbourhood team contacted the victim by accident"
    told = [
        f"Deviation from the trial (withdrawn) 23 November 2026, 2:30am · {hcop} {accident}",
        "It was recorded by mistake, and is withdrawn.",
        f"Deviation withdrawn 23 November 2026, 3:30am · {other_hcop} Recorded by mistake: “{accident}”.",
        f"Deviation from the trial 23 November 2026, 4:30am · {hcop} The victim was contacted because",
        "safety called for it, 22 November 2026. Ordered by Insp 4021.",
        f"Looked up on the crime record 23 November 2026, 7:30am · {other_hcop} A contact is recorded.",
    ]
    places = [page.find(line) for line in told]
    assert -1 not in places, [line for line, place in zip(told, places, strict=True) if place < 0]
    assert places == sorted(places)
    assert not re.search(r"\b(arm|control|stratum|allocat\w+)\b", page, re.IGNORECASE)


def test_why_src_was_not_delivered_is_on_the_time_line(words: Words, make_referral: MakeReferral) -> None:
    allocation = AllocationFactory.create(case=make_referral().case)
    DeviationFactory.create(allocation=allocation, kind="not_delivered", why="no_officer")
    assert "SRC was not delivered, 23 November 2026. No officer was free." in words(allocation.case)


def test_a_control_that_was_looked_up_without_a_contact_says_so(words: Words, make_case: MakeCase) -> None:
    check = ControlCheckFactory.create(allocation__case=make_case())
    assert "No contact was found." in words(check.allocation.case)


def test_a_deviation_can_be_recorded_of_a_case_in_a_trial_also_once_its_outcomes_are_locked(
    client_of: ClientOf, make_case: MakeCase, hcop: User, trial_lead: User, now: datetime
) -> None:
    def offered(case: Case) -> bool:
        html = client_of(hcop).get(reverse("case", args=[case.pk])).content.decode()
        return reverse("record_deviation", args=[case.pk]) in html

    src, control = (AllocationFactory.create(case=make_case(decided_at=now), arm=arm) for arm in Arm)
    assert (offered(src.case), offered(control.case), offered(make_case())) == (True, True, False)
    advance(src.trial, TrialStatus.LOCKED, by=trial_lead)
    assert offered(src.case)


def test_a_draft_says_nothing_of_what_will_become_of_it(words: Words, make_case: MakeCase) -> None:
    case = make_case()
    DecisionFactory.create(case=case)
    page = words(case)
    assert "Waits in the overnight review" in page
    assert "Usual service" not in page
    assert "Suitable" not in page


def test_not_suitable_says_why_and_who_contacts_the_victim(
    words: Words, make_case: MakeCase, now: datetime
) -> None:
    case = make_case(decided_at=now)
    DecisionFactory.create(
        case=case,
        suitable=False,
        reason="outside_bcu",
        contact_by="home_bcu",
        submission=SubmissionFactory.create(bcu=case.bcu),
    )
    assert "Victim lives outside the BCU. Contact: The victim's home BCU." in words(case).replace(
        "&#x27;", "'"
    )


def test_linked_reports_of_the_own_bcu_are_linked(
    client_of: ClientOf, words: Words, make_case: MakeCase, hcop: User, world: World
) -> None:
    case = make_case(victim_hash="a" * 64, incident_hash="b" * 64)
    same_victim = make_case(victim_hash="a" * 64)
    same_incident = make_case(incident_hash="b" * 64)
    crossed = make_case(victim_hash="b" * 64, offence="Arson")
    north = make_case(victim_hash="a" * 64, ward=world.north_ward)
    page = words(case)
    assert same_victim.crime_reference in page
    assert same_incident.crime_reference in page
    assert crossed.crime_reference not in page
    assert north.crime_reference not in page
    shown = AuditEntry.objects.get(action=Action.CASE_OPENED).references
    assert shown == [case.crime_reference, same_victim.crime_reference, same_incident.crime_reference]
    html = client_of(hcop).get(reverse("case", args=[case.pk])).content.decode()
    assert reverse("case", args=[same_victim.pk]) in html
    assert "a" * 64 not in html


def test_opening_it_is_recorded(words: Words, make_case: MakeCase, hcop: User) -> None:
    case = make_case()
    words(case)
    entry = AuditEntry.objects.get(action=Action.CASE_OPENED)
    assert (entry.actor, entry.references, entry.origin) == (hcop, [case.crime_reference], "page case")


def test_another_bcus_case_is_not_found_and_leaves_no_opening(
    client_of: ClientOf, make_case: MakeCase, north_hcop: User
) -> None:
    case = make_case()
    assert client_of(north_hcop).get(reverse("case", args=[case.pk])).status_code == 404
    assert not AuditEntry.objects.filter(action=Action.CASE_OPENED).exists()


@pytest.mark.parametrize(
    "role", ["officer", "supervisor", "leader", "trial_lead", "auditor", "administrator"]
)
def test_nobody_else_may_open_a_case(
    client_of: ClientOf, make_case: MakeCase, role: str, request: pytest.FixtureRequest
) -> None:
    user: User = request.getfixturevalue(role)
    assert client_of(user).get(reverse("case", args=[make_case().pk])).status_code == 403


def test_fourteen_queries_read_the_page_however_much_happened(
    client_of: ClientOf, make_referral: MakeReferral, hcop: User, now: datetime
) -> None:
    browser, referral = client_of(hcop), make_referral()
    allocation = AllocationFactory.create(case=referral.case)
    address = reverse("case", args=[referral.case.pk])
    browser.get(address)

    def queries(count: int) -> int:
        for number in range(count):
            ContactAttemptFactory.create(referral=referral)
            NotificationFactory.create(referral=referral)
            ReferralNoticeFactory.create(referral=referral)
            HandOverFactory.create(referral=referral)
            CrimeRecordEventFactory.create(case=referral.case)
            DeviationFactory.create(allocation=allocation, kind="in_error")
            RecordedOutcomeFactory.create(
                case=referral.case,
                code=OutcomeCodeFactory.create(code=1 + number % 22),
                recorded_at=now - timedelta(minutes=RecordedOutcomeFactory._meta.model.objects.count() + 1),
            )
        with CaptureQueriesContext(connection) as captured:
            browser.get(address)
        # Where no test holds a transaction open, nothing is saved in its midst.
        return len([query for query in captured if "SAVEPOINT" not in query["sql"]])

    # Session, account, its places; the case, what belongs to it, whether it was found not suitable, others
    # shown with it; the log; four counts of the navigation; the banner; and the session's time stamp.
    assert (queries(3), queries(27)) == (14, 14)


def test_a_word_that_has_left_its_list_is_told_as_it_is_stored(
    words: Words, make_referral: MakeReferral, now: datetime
) -> None:
    referral = make_referral()
    ContactAttemptFactory.create(referral=referral, method="telegram", result="told_by_wire", made_at=now)
    NotificationFactory.create(referral=referral, kind="telex", sent_at=now)
    told = words(referral.case)
    for word in ("told_by_wire", "telegram.", "E-mail sent: telex"):
        assert word in told
