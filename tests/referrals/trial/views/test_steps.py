"""The page of one trial, and the pages that ask before a step is taken."""

import json
from collections.abc import Callable

import pytest
import time_machine
from django.core.mail import EmailMessage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags

from referrals.mail.messages import message_of
from referrals.mail.outbox import deliver
from referrals.models import ApprovalKind, Notification, Trial, TrialStatus
from referrals.trial.actions import power
from referrals.trial.actions.life import proposal_digest, propose
from referrals.trial.actions.power import work_out_power
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from tests.conftest import World
from tests.factories import (
    NOW,
    SEED,
    AllocationFactory,
    PauseFactory,
    RegistrarFactory,
    TrialFactory,
)

TrialIn = Callable[[TrialStatus], Trial]


@pytest.fixture
def trial_in(world: World) -> TrialIn:
    return lambda status: TrialFactory.create(bcu=world.south_west, status=status)


@pytest.fixture
def lead(client_of: Callable[[User], Client], trial_lead: User, clock: time_machine.Traveller) -> Client:
    return client_of(trial_lead)


@pytest.fixture
def head(client_of: Callable[[User], Client], leader: User, clock: time_machine.Traveller) -> Client:
    return client_of(leader)


def _page(client: Client, trial: Trial) -> str:
    return client.get(reverse("trial", args=[trial.pk])).content.decode()


def test_a_draft_says_what_it_still_needs(lead: Client, trial_in: TrialIn) -> None:
    draft = trial_in(TrialStatus.DRAFT)
    draft.approvals.filter(kind=ApprovalKind.ETHICS).delete()
    page = _page(lead, draft)
    assert "the approval “Ethics”" in page
    assert reverse("propose_trial", args=[draft.pk]) not in page


def test_a_trial_is_proposed_by_one_and_sealed_by_another(
    lead: Client, head: Client, trial_in: TrialIn
) -> None:
    draft = trial_in(TrialStatus.DRAFT)
    lead.post(reverse("propose_trial", args=[draft.pk]), {"tell": "leader@example.org"})
    assert "Somebody else has to read it and to seal it" in _page(lead, draft)
    seal = reverse("seal_trial", args=[draft.pk])
    assert seal in _page(head, draft)
    digest = head.get(seal).context["form"]["digest"].value()
    response = head.post(seal, {"digest": digest}, follow=True)
    draft.refresh_from_db()
    assert draft.status == TrialStatus.SEALED
    assert draft.commitment in response.content.decode()


def test_a_protocol_that_changed_after_it_was_read_is_not_sealed(
    lead: Client, head: Client, trial_lead: User, trial_in: TrialIn
) -> None:
    draft = trial_in(TrialStatus.DRAFT)
    propose(trial_id=draft.pk, by=trial_lead, at=NOW)
    response = head.post(reverse("seal_trial", args=[draft.pk]), {"digest": "0" * 64}, follow=True)
    assert "changed after you opened this page" in response.content.decode()
    draft.refresh_from_db()
    assert draft.status == TrialStatus.DRAFT


@pytest.mark.parametrize(
    ("name", "given", "before", "after"),
    [
        ("propose_trial", {"tell": "leader@example.org"}, TrialStatus.DRAFT, TrialStatus.DRAFT),
        ("open_trial", {}, TrialStatus.SEALED, TrialStatus.RECRUITING),
        (
            "pause_trial",
            {"reason": "A complaint", "meanwhile": "not_started"},
            TrialStatus.RECRUITING,
            TrialStatus.RECRUITING,
        ),
        ("close_trial", {"because": "The money is spent"}, TrialStatus.RECRUITING, TrialStatus.CLOSED),
        ("reveal_trial", {}, TrialStatus.LOCKED, TrialStatus.REVEALED),
    ],
)
def test_a_step_says_what_will_happen_and_is_then_taken(
    lead: Client, trial_in: TrialIn, name: str, given: dict[str, str], before: TrialStatus, after: TrialStatus
) -> None:
    trial = trial_in(before)
    address = reverse(name, args=[trial.pk])
    assert "?</h2>" in lead.get(address).content.decode().replace("\n", "").replace("  ", "")
    trial.refresh_from_db()
    assert trial.status == before
    assert lead.post(address, given)["Location"] == reverse("trial", args=[trial.pk])
    trial.refresh_from_db()
    assert trial.status == after


def test_whoever_is_to_seal_it_is_told_by_mail_that_it_waits(lead: Client, trial_in: TrialIn) -> None:
    draft = trial_in(TrialStatus.DRAFT)
    for tell in ("", "nobody"):
        page = lead.post(reverse("propose_trial", args=[draft.pk]), {"tell": tell}).content.decode()
        assert "There is a problem" in page
    assert not Notification.objects.exists()
    lead.post(reverse("propose_trial", args=[draft.pk]), {"tell": "leader@example.org"})
    message = message_of(Notification.objects.get())
    assert message.to == ["leader@example.org"]
    assert message.subject == f"A trial waits for your approval: {draft.name}"
    assert reverse("seal_trial", args=[draft.pk]) in message.body
    assert "proposed on 23 November 2026" in message.body
    assert message.attachments == []
    assert AuditEntry.objects.get(action=Action.TRIAL_PROPOSED).recipients == ["leader@example.org"]


def test_who_has_an_address_on_the_account_is_chosen_by_name(
    lead: Client, trial_in: TrialIn, leader: User, trial_lead: User, north_hcop: User
) -> None:
    """Nobody who may not seal it, who proposes it, or who has no address."""
    address = reverse("propose_trial", args=[trial_in(TrialStatus.DRAFT).pk])
    assert "approver" not in lead.get(address).context["form"].fields
    for user in (leader, trial_lead, north_hcop):
        User.objects.filter(pk=user.pk).update(email=f"{user.username}@example.police.uk")
    form = lead.get(address).context["form"]
    assert list(form.fields["approver"].queryset) == [leader]
    assert form.initial["approver"] == leader.pk
    both = {"approver": leader.pk, "tell": "another@example.org"}
    assert "one person is told" in lead.post(address, both).content.decode()
    lead.post(address, {"approver": leader.pk})
    assert Notification.objects.get().recipient == "leader@example.police.uk"


def test_of_a_proposal_that_waits_no_more_nobody_is_told(
    lead: Client, trial_in: TrialIn, system: User, mailoutbox: list[EmailMessage]
) -> None:
    for number, ends in enumerate(("changed", "deleted", "not at all")):
        draft = trial_in(TrialStatus.DRAFT)
        lead.post(reverse("propose_trial", args=[draft.pk]), {"tell": f"{number}@example.org"})
        if ends == "changed":
            registrar = {"name": "Another library", "email": "other@example.org"}
            lead.post(reverse("name_registrars", args=[draft.pk]), registrar)
        if ends == "deleted":
            lead.post(reverse("delete_trial", args=[draft.pk]))
            assert not Trial.objects.filter(pk=draft.pk).exists()
    for mail in Notification.objects.order_by("pk"):
        deliver(notification_id=mail.pk, by=system)
    assert [message.to for message in mailoutbox] == [["2@example.org"]]
    assert Notification.objects.filter(abandoned_at__isnull=False).count() == 2
    assert AuditEntry.objects.get(action=Action.MAIL_SENT).references == [f"trial {draft.pk}"]


def test_whoever_seals_it_reads_what_it_could_find_and_what_it_could_not(
    head: Client, leader: User, trial_lead: User, trial_in: TrialIn
) -> None:
    draft = trial_in(TrialStatus.DRAFT)
    propose(trial_id=draft.pk, by=trial_lead, at=NOW)
    address, part = (reverse(name, args=[draft.pk]) for name in ("seal_trial", "trial_could_find"))
    page = head.get(address).content.decode()
    assert "What it could find, and what it could not" in page
    assert "This is being worked out" in page
    assert f'hx-get="{part}"' in page
    assert head.get(part).status_code == 204
    work_out_power(asked_by=leader.pk)
    for page in (head.get(address).content.decode(), head.get(part).content.decode()):
        words = " ".join(strip_tags(page).split())
        assert "The outcome: Victim withdrew support (attrition)." in words
        assert "it would find a difference of 15 in 100, or larger, four times out of five." in words
        assert "every other time, and would usually miss a smaller one." in words
        assert "hx-get" not in page.split('id="could-find"')[1].split(">")[0]


@pytest.mark.parametrize("status", [TrialStatus.SEALED, TrialStatus.RECRUITING, TrialStatus.LOCKED])
def test_what_a_sealed_trial_could_find_is_on_its_page(
    lead: Client, trial_lead: User, trial_in: TrialIn, status: TrialStatus
) -> None:
    address = reverse("trial", args=[trial_in(status).pk])
    assert "This is being worked out" in lead.get(address).content.decode()
    work_out_power(asked_by=trial_lead.pk)
    words = " ".join(strip_tags(lead.get(address).content.decode()).split())
    assert "it would find a difference of 15 in 100, or larger, four times out of five." in words


def test_a_seal_needs_no_worker(
    head: Client, trial_lead: User, trial_in: TrialIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(power, "send_task", lambda *_: False)
    draft = trial_in(TrialStatus.DRAFT)
    propose(trial_id=draft.pk, by=trial_lead, at=NOW)
    page = head.get(reverse("seal_trial", args=[draft.pk])).content.decode()
    assert "cannot be worked out now" in page
    head.post(reverse("seal_trial", args=[draft.pk]), {"digest": proposal_digest(draft)})
    draft.refresh_from_db()
    assert draft.status == TrialStatus.SEALED


def test_a_step_that_is_not_due_says_so_and_changes_nothing(lead: Client, trial_in: TrialIn) -> None:
    trial = trial_in(TrialStatus.RECRUITING)
    response = lead.post(reverse("reveal_trial", args=[trial.pk]), follow=True)
    assert "is recruiting by now" in response.content.decode()


@pytest.mark.parametrize("name", ["pause_trial", "close_trial"])
def test_a_step_that_needs_a_reason_asks_for_it(lead: Client, trial_in: TrialIn, name: str) -> None:
    trial = trial_in(TrialStatus.RECRUITING)
    response = lead.post(reverse(name, args=[trial.pk]), {})
    assert response.status_code == 200
    assert "Say why recruitment is" in response.content.decode()


def test_a_reason_that_was_typed_is_kept_where_the_step_is_refused(lead: Client, trial_in: TrialIn) -> None:
    trial = trial_in(TrialStatus.RECRUITING)
    PauseFactory.create(trial=trial)
    given = {"reason": "Typed with care", "meanwhile": "not_started"}
    page = lead.post(reverse("pause_trial", args=[trial.pk]), given).content.decode()
    assert "is paused already" in page
    assert "Typed with care" in page


def test_a_pause_is_shown_and_ended(lead: Client, trial_in: TrialIn) -> None:
    trial = trial_in(TrialStatus.RECRUITING)
    PauseFactory.create(trial=trial, reason="A complaint is looked into.")
    page = _page(lead, trial)
    assert "Recruitment is paused" in page
    assert "A complaint is looked into." in page
    lead.post(reverse("resume_trial", args=[trial.pk]))
    assert "Recruitment is paused" not in _page(lead, trial)


def test_a_draft_is_deleted_after_it_was_asked(lead: Client, trial_in: TrialIn) -> None:
    draft = trial_in(TrialStatus.DRAFT)
    address = reverse("delete_trial", args=[draft.pk])
    lead.get(address)
    assert Trial.objects.filter(pk=draft.pk).exists()
    assert lead.post(address)["Location"] == reverse("trial_list")
    assert not Trial.objects.filter(pk=draft.pk).exists()


def test_the_leader_reads_and_takes_no_step_but_the_seal(head: Client, trial_in: TrialIn) -> None:
    for status in TrialStatus:
        trial = trial_in(status)
        page = _page(head, trial)
        assert trial.name in page
        for step in ("propose", "open", "pause", "close", "reveal", "delete", "design", "bundle"):
            assert f"/{step}/" not in page


def test_the_seed_is_shown_once_it_is_revealed_and_never_before(lead: Client, trial_in: TrialIn) -> None:
    for status in TrialStatus:
        trial = trial_in(status)
        assert (SEED.hex() in _page(lead, trial)) == (status == TrialStatus.REVEALED)
        if status != TrialStatus.DRAFT:
            assert trial.commitment in _page(lead, trial)


def test_the_bundle_is_a_file_and_its_download_is_on_record(
    lead: Client, trial_in: TrialIn, world: World, trial_lead: User
) -> None:
    trial = trial_in(TrialStatus.RECRUITING)
    AllocationFactory.create(trial=trial, case__ward=world.wards[0])
    response = lead.get(reverse("trial_bundle", args=[trial.pk]))
    bundle = json.loads(response.content)
    assert (bundle["commitment"], bundle["seed"]) == (trial.commitment, None)
    assert set(bundle["allocations"][0]) == {"number", "previous", "hash"}
    assert AuditEntry.objects.latest("pk").action == Action.DOWNLOADED
    draft = trial_in(TrialStatus.DRAFT)
    assert lead.get(reverse("trial_bundle", args=[draft.pk])).status_code == 404


def test_reading_a_trial_is_on_record(lead: Client, trial_in: TrialIn, trial_lead: User) -> None:
    trial = trial_in(TrialStatus.SEALED)
    _page(lead, trial)
    entry = AuditEntry.objects.latest("pk")
    assert (entry.actor, entry.action, entry.references) == (
        trial_lead,
        Action.LIST_SHOWN,
        [f"trial {trial.pk}"],
    )


def test_as_many_queries_for_thirty_registrars_as_for_one(lead: Client, trial_in: TrialIn) -> None:
    draft = trial_in(TrialStatus.DRAFT)
    counts = []
    for more in (0, 29):
        RegistrarFactory.create_batch(more, trial=draft)
        with CaptureQueriesContext(connection) as queries:
            _page(lead, draft)
        counts.append(len(queries))
    assert counts[0] == counts[1]
