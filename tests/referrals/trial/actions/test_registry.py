"""What registrars are told."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command

from referrals.mail.messages import message_of
from referrals.models import Case, Mode, NoticeKind, Notification, Submission, Trial, TrialNotice, TrialStatus
from referrals.trial.actions.registry import send_heads
from referrals.trial.bundle import export_trial
from src_app.accounts.guards import NotAllowed
from src_app.accounts.models import User
from src_app.refused import Refused
from tests.conftest import World
from tests.factories import NOW, NotificationFactory, TrialFactory, TrialNoticeFactory, WardModeFactory

DAY = timedelta(days=1)


@pytest.fixture
def trial(world: World) -> Trial:
    trial = TrialFactory.create(bcu=world.south_west)
    for ward in world.wards:
        WardModeFactory.create(ward=ward, mode=Mode.TRIAL, trial=trial)
    return trial


def test_the_head_goes_to_every_registrar_once_a_day_and_again_when_there_is_more(
    trial: Trial, system: User, make_case: Callable[..., Case], submit_all: Callable[..., Submission]
) -> None:
    assert send_heads(by=system, at=NOW) == 1
    assert send_heads(by=system, at=NOW) == 0
    submit_all(make_case(), make_case())
    assert send_heads(by=system, at=NOW) == 1
    assert send_heads(by=system, at=NOW + DAY) == 1
    heads = [notice.content["heads"][0] for notice in TrialNotice.objects.order_by("pk")]
    assert [(head["count"], head["on"]) for head in heads] == [
        (0, "2026-11-23"),
        (2, "2026-11-23"),
        (2, "2026-11-24"),
    ]
    assert heads[1]["hash"] == trial.allocations.get(number=2).row_hash
    assert Notification.objects.filter(trial_notice__isnull=False).count() == 3


def test_the_file_that_was_sent_is_what_the_verifier_takes(
    trial: Trial,
    system: User,
    make_case: Callable[..., Case],
    submit_all: Callable[..., Submission],
    tmp_path: Path,
) -> None:
    submit_all(make_case(), make_case())
    send_heads(by=system, at=NOW)
    message = message_of(Notification.objects.get(trial_notice__kind=NoticeKind.HEAD))
    [(name, content, kind)] = message.attachments
    assert (name[:10], kind) == ("chain_head", "application/json")
    head, bundle = tmp_path / str(name), tmp_path / "bundle.json"
    head.write_text(str(content))
    bundle.write_text(json.dumps(export_trial(trial=trial, by=system)))
    call_command("trial_verify", str(bundle), "--head", str(head))
    changed = json.loads(head.read_text())
    changed["heads"][0]["count"] = 3
    head.write_text(json.dumps(changed))
    with pytest.raises(SystemExit) as ended:
        call_command("trial_verify", str(bundle), "--head", str(head))
    assert ended.value.code == 1


@pytest.mark.parametrize("kind", NoticeKind.values)
def test_a_message_to_a_registrar_says_what_the_file_is_and_to_keep_it(trial: Trial, kind: str) -> None:
    notice = TrialNoticeFactory.create(trial=trial, kind=kind)
    mail = NotificationFactory.create(
        kind="trial_notice", referral=None, trial_notice=notice, recipient="a@example.org", created_at=NOW
    )
    message = message_of(mail)
    assert trial.name in message.subject
    [(name, _, _)] = message.attachments
    assert f"The file {name}" in message.body.replace("\n", " ")
    assert len(message.body) < 600


def test_a_clock_set_back_sends_no_head(trial: Trial, system: User) -> None:
    send_heads(by=system, at=NOW)
    with pytest.raises(Refused, match="clock of this system is behind"):
        send_heads(by=system, at=NOW - DAY)
    assert TrialNotice.objects.count() == 1


def test_a_head_that_is_refused_keeps_no_other_trials_back(world: World, trial: Trial, system: User) -> None:
    TrialNoticeFactory.create(trial=trial, noticed_at=NOW + DAY)
    other = TrialFactory.create(bcu=world.south_west)
    with pytest.raises(Refused, match=f"^{trial.pk}: The clock"):
        send_heads(by=system, at=NOW)
    assert other.notices.count() == 1


def test_heads_are_of_trials_that_may_allocate_and_sent_by_this_system(
    world: World, system: User, trial_lead: User
) -> None:
    for status in TrialStatus:
        TrialFactory.create(bcu=world.south_west, status=status)
    assert send_heads(by=system, at=NOW) == 2
    with pytest.raises(NotAllowed):
        send_heads(by=trial_lead, at=NOW)
