"""Several imports of the same reports at the same moment."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction

from referrals.intake.saving import save
from referrals.intake.saving.fates import Fates, foresee
from referrals.intake.saving.save import import_cases
from referrals.models import Bcu, Case
from src_app.accounts.models import User
from src_app.audit.record import acting
from src_app.refused import Refused
from tests.conftest import World
from tests.extracts import extract, reference, row
from tests.factories import NOW
from tests.patience import patience


def imported(bcu: Bcu, by: User, *rows: dict[str, str]) -> Fates:
    return import_cases(content=extract(*rows), bcu=bcu, by=by, at=NOW)


def together(*calls: Callable[[], object]) -> list[object]:
    """Does all at once, each in a thread of its own; returns what each returned or raised."""
    ready = threading.Barrier(len(calls), timeout=patience(60))
    results: list[object] = [None] * len(calls)

    def run(place: int, call: Callable[[], object]) -> None:
        try:
            connection.ensure_connection()
            ready.wait()
            results[place] = call()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=numbered) for numbered in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(patience(120))
    return results


def in_thread(act: Callable[[], Fates]) -> Callable[[], Fates]:
    """The origin is each thread's own."""

    def call() -> Fates:
        with acting("test", by=None):
            return act()

    return call


@pytest.mark.django_db(transaction=True)
def test_of_four_imports_of_one_file_at_once_one_saves_and_the_others_find_it_unchanged(
    bcu: Bcu, hcop: User
) -> None:
    rows = [row(number) for number in range(200)]
    results = together(*[in_thread(lambda: imported(bcu, hcop, *rows))] * 4)
    counts = [result.counts() for result in results if isinstance(result, Fates)]
    assert len(counts) == 4, results
    assert sorted((count["new"], count["unchanged"]) for count in counts) == [(0, 200)] * 3 + [(200, 0)]
    assert Case.objects.count() == 200
    assert apps.get_model("referrals", "CaseEvent").objects.count() == 200


@pytest.mark.django_db(transaction=True)
def test_two_bcus_importing_one_reference_at_once_never_both_have_it(
    bcu: Bcu, world: World, hcop: User, north_hcop: User
) -> None:
    rows = [row(number) for number in range(50)]
    results = together(
        in_thread(lambda: imported(bcu, hcop, *rows)),
        in_thread(lambda: imported(world.north, north_hcop, *reversed(rows))),
    )
    assert Case.objects.count() == 50
    assert Case.objects.values("bcu").distinct().count() == 1
    for result in results:
        if isinstance(result, Fates):
            assert result.counts()["new"] in (0, 50)
        else:
            assert isinstance(result, Refused)


@pytest.mark.django_db(transaction=True)
def test_a_reference_made_elsewhere_after_the_look_saves_nothing(
    bcu: Bcu,
    world: World,
    hcop: User,
    make_case: Callable[..., Case],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked = foresee

    def look_then_be_overtaken(*args: Any, **kwargs: Any) -> Fates:
        fates = looked(*args, **kwargs)
        together(lambda: make_case(crime_reference=reference(2), ward=world.north_ward))
        return fates

    monkeypatch.setattr(save, "foresee", look_then_be_overtaken)
    with pytest.raises(Refused, match="Nothing was saved"):
        imported(bcu, hcop, row(1), row(2))
    assert Case.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_import_that_waits_too_long_says_so_without_the_rows(bcu: Bcu, hcop: User) -> None:
    def waits() -> Fates:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        return in_thread(lambda: imported(bcu, hcop, row()))()

    with transaction.atomic():
        Bcu.objects.select_for_update().get(pk=bcu.pk)
        (result,) = together(waits)
    assert isinstance(result, Refused)
    assert "try again" in str(result)
    assert result.__cause__ is None
