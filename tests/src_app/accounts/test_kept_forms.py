"""A form that comes after its session had ended is not saved, not lost, and shown to nobody else."""

import html
import random
import re
import uuid
import zlib
from collections.abc import Callable
from datetime import timedelta
from string import ascii_lowercase
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import psycopg2.errors
import pytest
import time_machine
from django import forms
from django.conf import settings as django_settings
from django.db import OperationalError
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from referrals.contact.actions.attempts import log_attempt
from referrals.contact.forms import AttemptForm
from referrals.models import Case, ContactAttempt, Decision, Method, Referral, Result
from referrals.review.actions.drafts import draft_suitable
from referrals.review.forms import SafetyForm, TeamForm
from referrals.trial.forms.design import ProtocolForm
from src_app.accounts import kept_forms
from src_app.accounts.models import User
from src_app.keys import encrypt_kept_form
from tests.conftest import World
from tests.factories import PASSWORD, TrialFactory
from tests.src_app.accounts.test_second_factor import code

pytestmark = pytest.mark.usefixtures("clock")

NOTE = "Ring after six; the dog is loud & “kind”"
ANSWERS = {"method": "telephone", "result": "no_answer", "note": NOTE}
AS_LEFT = "The form on this page stands as you left it. Nothing was saved yet."


@pytest.fixture
def referral(make_referral: Callable[..., Referral]) -> Referral:
    return make_referral()


@pytest.fixture
def page(referral: Referral) -> str:
    return reverse("log_contact", args=[referral.number])


def mark_on(shown: Any) -> str:
    found = re.search(r'name="kept" value="([^"]+)"', shown.content.decode())
    assert found, "The page has no form that is kept."
    return html.unescape(found[1])


def hidden_on(shown: Any) -> dict[str, str]:
    """The hidden fields of the form that is kept, as a browser sends them."""
    [form] = [each for each in shown.content.decode().split("<form")[1:] if 'name="kept"' in each]
    found = {}
    for field in re.findall(r'<input type="hidden"([^>]*)>', form.partition("</form>")[0]):
        given = dict(re.findall(r'(\w+)="([^"]*)"', field))
        found[given["name"]] = html.unescape(given.get("value", ""))
    del found["csrfmiddlewaretoken"]
    return found


def answers(browser: Client, page: str) -> dict[str, str]:
    """A note half written, on a page that was opened before."""
    return {**hidden_on(browser.get(page)), **ANSWERS}


def sign_in(browser: Client, user: User, next_page: str = "") -> str:
    """Signs in with the password; returns where that leads."""
    sent = {"login": user.username, "password": PASSWORD, "next": next_page}
    return str(browser.post(reverse("account_login"), sent).headers["Location"])


def signed_in_to(browser: Client, user: User, page: str) -> Any:
    """The page that is shown once they have signed in from it."""
    return browser.get(sign_in(browser, user, page))


def told_by(browser: Client, response: Any) -> str:
    """The page that an answer leads to."""
    return html.unescape(browser.get(response.headers["Location"]).content.decode())


def signature_of(sent: dict[str, Any]) -> str:
    return str(sent["kept"]).rpartition(":")[2]


def next_of(response: Any) -> str:
    assert urlsplit(response.headers["Location"]).path == reverse("account_login")
    query = parse_qs(urlsplit(str(response.headers["Location"])).query)
    return query["next"][0]


def typed_on(response) -> str:
    found = re.search(r"<textarea[^>]*name=\"note\"[^>]*>(.*?)</textarea>", response.content.decode(), re.S)
    assert found
    return html.unescape(str(found[1])).strip()


@pytest.fixture(params=["idle", "gone"])
def lapse(request, clock: time_machine.Traveller):
    """Ends the session of a browser: for want of activity, or altogether, as when its cookie is gone."""

    def end(browser: Client) -> None:
        if request.param == "idle":
            clock.shift(django_settings.IDLE_TIMEOUT + timedelta(seconds=5))
        else:
            del browser.cookies[django_settings.SESSION_COOKIE_NAME]

    return end


class SentTooLate(NamedTuple):
    """A form that was opened by somebody signed in, and sent when their session had ended."""

    browser: Client
    sent: dict[str, str]
    response: Any


@pytest.fixture
def send_too_late(client_of, lapse) -> Callable[..., SentTooLate]:
    def send(user: User, page: str, **typed: str) -> SentTooLate:
        browser = client_of(user)
        sent = {**hidden_on(browser.get(page)), **typed}
        lapse(browser)
        return SentTooLate(browser, sent, browser.post(page, sent))

    return send


@pytest.fixture
def late(send_too_late: Callable[..., SentTooLate], officer: User, page: str) -> SentTooLate:
    """The officer's note, sent too late."""
    return send_too_late(officer, page, **ANSWERS)


def test_after_signing_in_again_the_form_stands_as_it_was_left_on_the_same_page(
    late: SentTooLate, officer: User, page: str
) -> None:
    assert next_of(late.response) == page
    assert "Nothing was saved yet." in told_by(late.browser, late.response)
    shown = signed_in_to(late.browser, officer, page)
    assert shown.request["PATH_INFO"] == page
    assert typed_on(shown) == NOTE
    text = shown.content.decode()
    assert text.count(AS_LEFT) == 2  # on the page, and in the script's template
    assert re.search(r'<input[^>]*value="no_answer"[^>]* checked>', text)
    assert not ContactAttempt.objects.exists()


def test_it_is_there_until_it_is_saved_and_then_gone(late: SentTooLate, officer: User, page: str) -> None:
    browser, sent, _ = late
    sign_in(browser, officer)
    browser.get(reverse("my_referrals"))
    shown = browser.get(page)
    assert typed_on(shown) == NOTE
    response = browser.post(page, {**sent, "kept": mark_on(shown)})
    attempt = ContactAttempt.objects.get(note__body=NOTE)
    assert response.headers["Location"] == reverse("attempt_saved", args=[attempt.referral, attempt.pk])
    assert response.cookies[kept_forms.COOKIE].value == ""
    assert typed_on(browser.get(page)) == ""


def test_what_was_saved_though_its_answer_was_lost_is_not_saved_twice(
    client_of, officer: User, page: str, lapse
) -> None:
    browser = client_of(officer)
    sent = answers(browser, page)
    browser.post(page, sent)
    lapse(browser)
    browser.post(page, sent)
    shown = signed_in_to(browser, officer, page)
    assert hidden_on(shown)["key"] == sent["key"]
    browser.post(page, {**sent, **hidden_on(shown)})
    assert ContactAttempt.objects.count() == 1


def test_a_mark_that_a_colleague_made_meanwhile_is_not_written_over(
    send_too_late, hcop: User, other_hcop: User, make_case, now
) -> None:
    case = make_case()
    page = reverse("mark_not_suitable", args=[case.pk])
    browser, sent, _ = send_too_late(hcop, page, reason="no_crime", contact_by="home_bcu")
    draft_suitable(case_id=case.pk, version=None, by=other_hcop, at=now)
    shown = signed_in_to(browser, hcop, page)
    assert hidden_on(shown)["version"] == sent.get("version", "")
    refused = browser.post(page, {**sent, **hidden_on(shown)}, follow=True)
    assert "Deputy HCOP South West" in refused.content.decode()
    assert Decision.objects.get().suitable


def test_where_the_page_has_no_such_form_any_more_what_was_typed_is_shown_by_itself(
    late: SentTooLate, officer: User, colleague: User, referral: Referral, page: str
) -> None:
    at = timezone.now()
    log_attempt(
        referral_id=referral.pk,
        key=uuid.uuid4(),
        method=Method.TELEPHONE,
        result=Result.CONTACT_MADE,
        made_at=at,
        by=colleague,
        at=at,
    )
    alone = signed_in_to(late.browser, officer, page)
    text = html.unescape(alone.content.decode())
    assert "What you typed was not saved" in text
    assert re.findall(r"<dd[^>]*>\s*(\S[^<]*?)\s*</dd>", text)[:2] == ["Telephone", "No answer"]
    assert NOTE in text
    assert late.sent["key"] not in text
    # Which form the script drops as well.
    assert f'data-drop-kept="{page}"' in text
    dropped = late.browser.post(reverse("drop_kept_form"))
    assert dropped.headers["Location"] == page
    assert late.browser.get(page).headers["Location"] == reverse("referral", args=[referral.number])


def test_nothing_of_it_is_shown_before_the_second_factor(
    late: SentTooLate, officer: User, page: str, settings
) -> None:
    sign_in(late.browser, officer)
    settings.SECOND_FACTOR_REQUIRED = True
    led = late.browser.get(page)
    assert led.status_code == 302
    assert led.headers["Location"] == reverse("mfa_activate_totp")
    assert NOTE not in html.unescape(led.content.decode())


def test_what_stands_as_it_was_left_can_be_thrown_away(late: SentTooLate, officer: User, page: str) -> None:
    shown = signed_in_to(late.browser, officer, page).content.decode()
    assert re.search(rf'action="{reverse("drop_kept_form")}"\s+data-drop-kept="{page}"', shown)
    assert late.browser.post(reverse("drop_kept_form")).headers["Location"] == page
    assert typed_on(late.browser.get(page)) == ""


def test_another_person_who_throws_it_away_is_not_led_to_its_page(late: SentTooLate, colleague: User) -> None:
    sign_in(late.browser, colleague)
    dropped = late.browser.post(reverse("drop_kept_form"))
    assert dropped.headers["Location"] == reverse("home")
    assert dropped.cookies[kept_forms.COOKIE].value == ""


def test_what_another_release_kept_in_another_shape_is_dropped(client_of, officer: User, page: str) -> None:
    browser = client_of(officer)
    for document in (b'{"account": "x", "fields": {}, "since": 1}', b"[]", b"no JSON"):
        browser.cookies[kept_forms.COOKIE] = encrypt_kept_form(zlib.compress(document))
        shown = browser.get(page)
        assert shown.status_code == 200
        assert shown.cookies[kept_forms.COOKIE].value == ""


def test_signing_out_after_the_session_had_ended_leaves_nothing_either(late: SentTooLate) -> None:
    assert late.browser.post(reverse("account_logout")).cookies[kept_forms.COOKIE].value == ""


def test_a_second_form_takes_the_place_of_the_first_and_names_it(
    client_of, late: SentTooLate, officer: User, referral: Referral, make_referral
) -> None:
    other = reverse("log_contact", args=[make_referral().number])
    led = late.browser.post(other, answers(client_of(officer), other))
    told = told_by(late.browser, led)
    assert "the one you had left before it, “Log contact”, is lost" in told


def test_that_it_takes_the_place_of_a_colleagues_form_is_not_said(
    client_of, late: SentTooLate, colleague: User, make_referral
) -> None:
    other = reverse("log_contact", args=[make_referral().number])
    led = late.browser.post(other, answers(client_of(colleague), other))
    told = told_by(late.browser, led)
    assert "Nothing was saved yet." in told
    assert "is lost" not in told


def test_another_person_who_signs_in_there_sees_nothing_of_it_and_has_it_deleted(
    late: SentTooLate, officer: User, colleague: User, page: str
) -> None:
    shown = signed_in_to(late.browser, colleague, page)
    assert typed_on(shown) == ""
    assert shown.cookies[kept_forms.COOKIE].value == ""
    late.browser.post(reverse("account_logout"))
    assert typed_on(signed_in_to(late.browser, officer, page)) == ""


def test_it_is_gone_after_twelve_hours(
    client_of, officer: User, page: str, clock: time_machine.Traveller
) -> None:
    browser = client_of(officer)
    sent = answers(browser, page)
    clock.shift(django_settings.IDLE_TIMEOUT + timedelta(minutes=1))
    browser.post(page, sent)
    clock.shift(timedelta(hours=11, minutes=58))
    assert typed_on(signed_in_to(browser, officer, page)) == NOTE
    clock.shift(timedelta(minutes=3))
    assert typed_on(browser.get(page)) == ""


def test_a_page_opened_more_than_twelve_hours_ago_is_not_kept(
    client_of, officer: User, page: str, clock: time_machine.Traveller
) -> None:
    browser = client_of(officer)
    sent = answers(browser, page)
    clock.shift(timedelta(hours=12, seconds=1))
    late = browser.post(page, sent)
    assert kept_forms.COOKIE not in late.cookies
    assert next_of(late) == reverse("home")


def test_whoever_signs_out_leaves_nothing(late: SentTooLate, officer: User, page: str) -> None:
    sign_in(late.browser, officer)
    assert late.browser.post(reverse("account_logout")).cookies[kept_forms.COOKIE].value == ""
    assert typed_on(signed_in_to(late.browser, officer, page)) == ""


def test_the_browser_cannot_read_what_it_keeps_and_the_server_keeps_nothing(late: SentTooLate) -> None:
    cookie = late.response.cookies[kept_forms.COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["max-age"] == 12 * 3600
    assert cookie.value.startswith("gAAAA")  # a Fernet token


@pytest.mark.django_db(transaction=True)
def test_it_survives_the_second_factor(
    client_of, officer: User, page: str, settings, clock: time_machine.Traveller
) -> None:
    settings.SECOND_FACTOR_REQUIRED = True
    browser = Client()
    sign_in(browser, officer)
    browser.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    secret = str(browser.get(reverse("mfa_activate_totp")).context["form"].secret)
    browser.post(reverse("mfa_activate_totp"), {"code": code(secret)})
    sent = answers(browser, page)
    clock.shift(django_settings.IDLE_TIMEOUT + timedelta(seconds=5))
    browser.post(page, sent)
    assert urlsplit(sign_in(browser, officer, page)).path == reverse("mfa_authenticate")
    response = browser.post(reverse("mfa_authenticate"), {"code": code(secret)})
    assert response.headers["Location"] == page
    assert typed_on(browser.get(page)) == NOTE


def test_a_form_of_a_session_before_is_shown_once_more_with_what_was_typed(officer: User, page: str) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(officer)
    sent = answers(browser, page)
    response = browser.post(page, {**sent, "csrfmiddlewaretoken": "x" * 64})
    assert response.headers["Location"] == page
    assert kept_forms.SAVED_COOKIE not in response.cookies
    shown = browser.get(page)
    assert "Press its button once more." in shown.content.decode()
    assert typed_on(shown) == NOTE
    assert not ContactAttempt.objects.exists()


def test_a_form_of_somebody_else_is_not_shown_to_whoever_signed_in_meanwhile(
    client_of, officer: User, colleague: User, page: str
) -> None:
    sent = answers(client_of(officer), page)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(colleague)
    response = browser.post(page, sent)
    assert response.status_code == 403
    text = response.content.decode()
    assert "Somebody else signed in here meanwhile" in text
    assert "Nothing was saved" in text
    assert kept_forms.COOKIE not in response.cookies


@pytest.mark.parametrize("mark", ["", "nobody /:1:2", None])
def test_a_form_that_no_page_of_ours_had_is_not_kept(officer: User, page: str, mark: str | None) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(officer)
    sent = {"note": NOTE} if mark is None else {"note": NOTE, "kept": mark}
    response = browser.post(page, sent)
    assert response.status_code == 403
    assert "This page had been open too long" in response.content.decode()
    assert kept_forms.COOKIE not in response.cookies


def test_a_form_from_another_site_is_refused_and_not_kept(officer: User, page: str) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(officer)
    sent = answers(browser, page)
    response = browser.post(page, sent, headers={"Origin": "https://elsewhere.example"})
    assert response.status_code == 403
    assert kept_forms.COOKIE not in response.cookies


def test_what_is_too_long_to_be_kept_is_told_as_such(send_too_late, officer: User, page: str) -> None:
    note = " ".join(uuid.uuid4().hex for _ in range(400))
    browser, _, response = send_too_late(officer, page, note=note)
    assert kept_forms.COOKIE not in response.cookies
    told = told_by(browser, response)
    assert "Nothing was saved, and the form is too long to be kept: fill it in again." in told


@pytest.mark.parametrize("form", [ProtocolForm, AttemptForm, SafetyForm, TeamForm])
def test_the_longest_texts_that_a_form_takes_are_kept(form: Any) -> None:
    """Each text of words drawn at random, and a hundred wards: no form has more than the protocol's."""
    drawn = random.Random(1)
    words = ["".join(drawn.choices(ascii_lowercase, k=drawn.randint(2, 11))) for _ in range(2_000)]
    fields = {name: [str(drawn.randrange(100))] for name in form.base_fields}
    for name, field in form.base_fields.items():
        if isinstance(field, forms.CharField) and field.max_length:
            fields[name] = [" ".join(drawn.choices(words, k=field.max_length))[: field.max_length]]
    fields["wards"] = [f"E05{drawn.randrange(10**6):06}" for _ in range(100)]
    sent = kept_forms.KeptForm("a" * 32, "/trials/new/?bcu=SW", "/trials/new/", fields)
    assert kept_forms.keep(sent, HttpResponse())


def test_a_form_that_is_sent_back_with_errors_is_kept_too_and_known_as_the_same(
    client_of, officer: User, page: str, lapse, clock: time_machine.Traveller
) -> None:
    browser = client_of(officer)
    sent = answers(browser, page)
    clock.shift(timedelta(minutes=1))
    back = browser.post(page, {**sent, "result": ""})
    assert "Choose what came of it." in back.content.decode()
    assert mark_on(back) == sent["kept"]
    lapse(browser)
    response = browser.post(page, {**sent, "kept": mark_on(back)})
    assert next_of(response) == page
    assert typed_on(signed_in_to(browser, officer, page)) == NOTE


def test_a_part_of_a_page_asked_for_too_late_leads_to_sign_in_and_to_its_form(
    client_of, hcop: User, make_case, lapse
) -> None:
    case: Case = make_case()
    page = reverse("mark_not_suitable", args=[case.pk])
    browser = client_of(hcop)
    by_script = {"HX-Request": "true", "HX-Current-URL": "http://testserver/overnight-review/"}
    mark = mark_on(browser.get(page, headers=by_script))
    lapse(browser)
    sent = {"kept": mark, "version": "1", "reason": "no_crime", "contact_by": "home_bcu"}
    response = browser.post(page, sent, headers=by_script)
    assert parse_qs(urlsplit(response.headers["HX-Redirect"]).query)["next"] == [page]
    shown = signed_in_to(browser, hcop, page).content.decode()
    assert shown.count(AS_LEFT) == 2
    assert re.search(r'<option value="no_crime" selected>', shown)


def test_a_form_that_goes_to_an_address_without_a_page_is_shown_where_it_stood(
    client_of, trial_lead: User, world: World, lapse
) -> None:
    trial = TrialFactory.create(bcu=world.south_west)
    page = reverse("trial_wards", args=[trial.pk])
    browser = client_of(trial_lead)
    sent = {
        "kept": mark_on(browser.get(page)),
        "wards": world.wards[1].code,
        "mode": "src",
        "starts_on": "2026-12-07",
    }
    lapse(browser)
    response = browser.post(reverse("set_trial_wards", args=[trial.pk]), sent)
    assert next_of(response) == page
    shown = signed_in_to(browser, trial_lead, page).content.decode()
    assert re.search(r'<input[^>]*name="starts_on"[^>]*value="2026-12-07"', shown)
    assert re.search(rf'<input[^>]*value="{world.wards[1].code}"[^>]* checked>', shown)
    assert not re.search(rf'<input[^>]*value="{world.wards[0].code}"[^>]* checked>', shown)


def test_two_showings_of_a_page_in_one_second_are_told_apart(client_of, officer: User, page: str) -> None:
    browser = client_of(officer)
    assert mark_on(browser.get(page)) != mark_on(browser.get(page))


def test_the_script_is_told_what_was_saved_and_nothing_else(client_of, officer: User, page: str) -> None:
    browser = client_of(officer)
    sent = answers(browser, page)
    assert kept_forms.SAVED_COOKIE not in browser.post(page, {**sent, "result": ""}).cookies
    response = browser.post(page, sent)
    assert response.cookies[kept_forms.SAVED_COOKIE].value == signature_of(sent)


@pytest.mark.parametrize(
    ("address", "status"), [("referrals/SRC-2026-999999/contact", 404), ("trials/new", 403)]
)
def test_a_form_that_an_error_page_answers_was_refused(
    client_of, officer: User, page: str, address: str, status: int
) -> None:
    browser = client_of(officer)
    sent = answers(browser, page)
    response = browser.post(f"/{address}/", sent)
    assert response.status_code == status
    assert response.cookies[kept_forms.SAVED_COOKIE].value == f"!{signature_of(sent)}"


def test_a_form_that_waited_in_vain_for_the_database_was_not_saved(
    client_of, officer: User, page: str, monkeypatch
) -> None:
    browser = client_of(officer)
    sent = answers(browser, page)

    def gives_up(**_: object) -> None:
        raise OperationalError("busy") from psycopg2.errors.LockNotAvailable("busy")

    monkeypatch.setattr("referrals.contact.actions.attempts.log_attempt", gives_up)
    response = browser.post(page, sent)
    assert response.status_code == 503
    assert response.cookies[kept_forms.SAVED_COOKIE].value == f"!{signature_of(sent)}"


def test_a_body_that_nobody_can_read_is_no_error_of_ours(client_of, officer: User) -> None:
    """Of a page that reads no form."""
    response = client_of(officer).post(reverse("my_referrals"), b"a=b", content_type="multipart/form-data")
    assert response.status_code == 405


def test_what_is_refused_was_not_saved(client_of, hcop: User, make_case) -> None:
    case: Case = make_case()
    page = reverse("choose_team", args=[case.pk])
    browser = client_of(hcop)
    shown = browser.get(page)
    team = next(iter(shown.context["form"].fields["team"].queryset))
    sent = {"kept": mark_on(shown), "version": "999999", "team": team.pk, "why": "The ward is closed"}
    response = browser.post(page, sent)
    assert response.status_code == 302
    assert response.cookies[kept_forms.SAVED_COOKIE].value == f"!{signature_of(sent)}"
