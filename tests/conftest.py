"""What every test stands on: the database with the runtime role's rights, a small world, its people."""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import hypothesis
import pytest
import time_machine
from celery import Task
from django.conf import settings as django_settings
from django.core.cache import cache
from django.core.management.base import BaseCommand
from django.test import Client
from django.test.client import ClientHandler

import src_app.cache
import src_app.task_queue
from referrals.mail import outbox
from referrals.models import Bcu, Borough, Case, Referral, Team, Ward
from src_app.accounts.models import User
from src_app.accounts.roles import Role
from src_app.audit import record as audit_record
from src_app.celery import app as celery_app
from tests import database, factories
from tests.thorough import repeated
from tests.undefined import Undefined


def _redis_of_this_worker(url: str) -> str:
    """The address with a database number of the worker's own, and never the number that was given."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    found = re.fullmatch(r"(?P<server>unix://[^?]+\?db=|rediss?://[^/]+/?)(?P<number>\d*)", url)
    if found is None:
        raise pytest.UsageError(
            "REDIS_URL must end in a database number: unix://…?db=0 or redis://host:6379/0"
        )
    server = found["server"] if found["server"].endswith(("=", "/")) else found["server"] + "/"
    return f"{server}{(int(found['number'] or 0) + 1 + worker) % 16}"


def pytest_configure() -> None:
    """Settings of the whole run."""
    # How long an example takes on a busy machine says nothing of what it proves.
    hypothesis.settings.register_profile("untimed", deadline=None, max_examples=repeated(100, 1_000))
    hypothesis.settings.load_profile("untimed")
    django_settings.REDIS_URL = _redis_of_this_worker(django_settings.REDIS_URL)
    django_settings.CACHES["default"]["LOCATION"] = django_settings.REDIS_URL
    broker = django_settings.REDIS_URL.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")
    django_settings.CELERY_BROKER_URL = broker
    celery_app.conf.update(broker_url=broker)
    # Sign-in is tested with the real settings; hashing that is slow on purpose is not.
    django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    django_settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    # Files are served from where they are written; nothing is collected for a test.
    django_settings.STATIC_ROOT = django_settings.BASE_DIR / "static"
    django_settings.WHITENOISE_AUTOREFRESH = True
    django_settings.TEMPLATES[0]["OPTIONS"]["string_if_invalid"] = Undefined()


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """No file's bytes in a test's name: a spreadsheet's hold the time it was made, and workers differ."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: Any
) -> None:
    """The owner makes the database."""
    database.log_in_as_owner()
    database.wait_longer()
    database.make_roles_usable()
    with django_db_blocker.unblock():
        database.copy_migrated()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The runtime role uses it."""
    with django_db_blocker.unblock():
        database.use_runtime_role()
    yield
    with django_db_blocker.unblock():
        database.stop_using_runtime_role()


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    """Rate limits and idempotent answers of one test do not reach the next, nor what was away."""
    for breaker in (src_app.cache._REDIS, src_app.task_queue._BROKER, outbox._MAIL_SERVER):
        breaker.worked()
    cache.clear()


@pytest.fixture(autouse=True)
def _origin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Actions called by the test itself come from ``test``; requests, commands and tasks say it themselves.

    So a command or task that opens no ``acting`` fails here as it would fail in production.
    """

    def without_origin(function: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any, **kwargs: Any) -> Any:
            token = audit_record._origin.set(None)
            try:
                return function(*args, **kwargs)
            finally:
                audit_record._origin.reset(token)

        return called

    for owner, name in ((BaseCommand, "execute"), (Task, "__call__"), (ClientHandler, "__call__")):
        monkeypatch.setattr(owner, name, without_origin(getattr(owner, name)))
    token = audit_record._origin.set(audit_record.Origin("test"))
    yield
    audit_record._origin.reset(token)


@pytest.fixture
def now() -> datetime:
    """Monday 23 November 2026, 7:30am in London: the morning of the sample extract."""
    return factories.NOW


@pytest.fixture
def clock(now: datetime) -> Iterator[time_machine.Traveller]:
    """The clock stands at ``now``; ``clock.shift(timedelta)`` and ``clock.move_to(datetime)`` move it."""
    with time_machine.travel(now, tick=False) as traveller:
        yield traveller


@dataclass(frozen=True)
class World:
    """South West: two boroughs of three wards, each ward with its own team. North: one ward, one team."""

    south_west: Bcu
    north: Bcu
    wards: list[Ward]
    north_ward: Ward

    @property
    def teams(self) -> list[Team]:
        """The teams of South West, in the order of its wards."""
        return [ward.team for ward in self.wards]

    @property
    def north_team(self) -> Team:
        return self.north_ward.team


@pytest.fixture
def world(db: None) -> World:
    """Two BCUs. The first three wards of South West are Merton's, the other three Wandsworth's."""
    # Most tests use it, so it is made in four statements, not one for each place.
    south_west, north = Bcu.objects.bulk_create(
        [
            factories.BcuFactory.build(code="SW", name="South West"),
            factories.BcuFactory.build(code="N", name="North"),
        ]
    )
    merton, wandsworth, barnet = Borough.objects.bulk_create(
        factories.BoroughFactory.build(name=name, bcu=bcu)
        for name, bcu in (("Merton", south_west), ("Wandsworth", south_west), ("Barnet", north))
    )
    places = (
        *((name, merton) for name in ("Abbey", "Colliers Wood", "Graveney")),
        *((name, wandsworth) for name in ("Balham", "Tooting Bec", "Furzedown")),
        ("Hendon", barnet),
    )
    teams = Team.objects.bulk_create(
        factories.TeamFactory.build(name=f"{name} team", borough=borough) for name, borough in places
    )
    *wards, north_ward = Ward.objects.bulk_create(
        factories.WardFactory.build(name=name, borough=borough, team=team)
        for (name, borough), team in zip(places, teams, strict=True)
    )
    return World(south_west=south_west, north=north, wards=wards, north_ward=north_ward)


def _in_bcu(bcu: Bcu, role: Role, username: str, name: str) -> User:
    user = factories.UserFactory.create(username=username, role=role, display_name=name)
    factories.BcuMembershipFactory.create(user=user, bcu=bcu)
    return user


def _in_team(team: Team, role: Role, username: str, name: str) -> User:
    user = factories.UserFactory.create(username=username, role=role, display_name=name)
    factories.TeamMembershipFactory.create(user=user, team=team)
    return user


@pytest.fixture
def hcop(world: World) -> User:
    """The HCOP of South West."""
    return _in_bcu(world.south_west, Role.HCOP, "hcop", "HCOP South West")


@pytest.fixture
def other_hcop(world: World) -> User:
    """The HCOP's deputy."""
    return _in_bcu(world.south_west, Role.HCOP, "deputy", "Deputy HCOP South West")


@pytest.fixture
def north_hcop(world: World) -> User:
    """The HCOP of the other BCU."""
    return _in_bcu(world.north, Role.HCOP, "north_hcop", "HCOP North")


@pytest.fixture
def officer(world: World) -> User:
    """An officer of the first ward's team."""
    return _in_team(world.teams[0], Role.OFFICER, "officer", "PC 1001")


@pytest.fixture
def colleague(world: World) -> User:
    """Another officer of the same team."""
    return _in_team(world.teams[0], Role.OFFICER, "colleague", "PCSO 7002")


@pytest.fixture
def other_officer(world: World) -> User:
    """An officer of the second ward's team."""
    return _in_team(world.teams[1], Role.OFFICER, "other_officer", "PC 1002")


@pytest.fixture
def supervisor(world: World) -> User:
    """The sergeant of the first ward's team."""
    return _in_team(world.teams[0], Role.SUPERVISOR, "supervisor", "PS 51")


@pytest.fixture
def inspector(world: World) -> User:
    """A supervisor of all teams of South West."""
    return _in_bcu(world.south_west, Role.SUPERVISOR, "inspector", "Insp 9")


@pytest.fixture
def leader(world: World) -> User:
    """A senior leader of South West."""
    return _in_bcu(world.south_west, Role.LEADER, "leader", "Supt 5")


@pytest.fixture
def trial_lead(world: World) -> User:
    """The trial lead of South West."""
    return _in_bcu(world.south_west, Role.TRIAL_LEAD, "trial_lead", "Trial lead")


@pytest.fixture
def auditor(db: None) -> User:
    """Information governance."""
    return factories.UserFactory.create(username="auditor", role=Role.AUDITOR, display_name="Auditor")


@pytest.fixture
def administrator(db: None) -> User:
    """Makes accounts, keeps teams and wards."""
    return factories.UserFactory.create(
        username="administrator", role=Role.ADMINISTRATOR, display_name="Administrator"
    )


@pytest.fixture
def system(db: None) -> User:
    """The actor of tasks and commands."""
    return User.objects.system()


@pytest.fixture
def make_case(world: World) -> Callable[..., Case]:
    """Makes a case of the first ward, or of ``ward``; with ``ward=None`` one of South West without a ward."""

    def make(**fields: Any) -> Case:
        ward = fields.setdefault("ward", world.wards[0])
        if ward is None:
            fields.setdefault("bcu", world.south_west)
        return factories.CaseFactory.create(**fields)

    return make


@pytest.fixture
def make_referral(make_case: Callable[..., Case]) -> Callable[..., Referral]:
    """Makes a referral to the first ward's team, or to that of ``ward``.

    ``completed=True`` and ``closed=True`` end it; ``case__…`` names fields of its case.
    """

    def make(**fields: Any) -> Referral:
        if "case" not in fields:
            of_case = {
                name.removeprefix("case__"): fields.pop(name)
                for name in list(fields)
                if name.startswith("case__")
            }
            made_at = fields.get("made_at", factories.ReferralFactory.made_at)
            case_fields = {"decided_at": made_at, **of_case}
            if "ward" in fields:
                case_fields.setdefault("ward", fields["ward"])
            fields["case"] = make_case(**case_fields)
        return factories.ReferralFactory.create(**fields)

    return make


@pytest.fixture
def client_of() -> Callable[[User], Client]:
    """A browser in which that account is signed in."""

    def signed_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return signed_in
