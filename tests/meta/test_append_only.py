"""What must never change cannot be changed: each way is really tried, in SQL, with rows there to change."""

import re
from collections.abc import Callable

import pgtrigger
import pytest
from django.apps import apps
from django.db import Error, InternalError, ProgrammingError, connection, transaction
from django.db.models import Model
from psycopg2 import sql

from referrals.models import Allocation, Arm, ContactAttempt, Pause, Trial, UnitKey
from src_app.audit.models import AuditEntry
from src_app.audit.record import acting
from src_app.database import DELETABLE_TABLES, append_only_tables, runtime_role
from tests import factories
from tests.database import owner_rights
from tests.factories import NOW

TABLES = {
    "audit_auditentry",
    "outcomes_dataset",
    "outcomes_look",
    "outcomes_recordedoutcome",
    "referrals_accessanswer",
    "referrals_allocation",
    "referrals_bankholiday",
    "referrals_contactattempt",
    "referrals_controlcheck",
    "referrals_crimerecordevent",
    "referrals_deviation",
    "referrals_duemove",
    "referrals_foundnotsuitable",
    "referrals_handover",
    "referrals_latedecision",
    "referrals_notedchange",
    "referrals_referralorder",
    "referrals_reopeneddecision",
    "referrals_reopening",
    "referrals_safetydecision",
    "referrals_settledattempt",
    "referrals_submission",
    "referrals_teamgoal",
    "referrals_trialnotice",
    "referrals_unitkey",
}
EVENT_TABLES = {
    "accounts_userevent",
    "referrals_approvalevent",
    "referrals_bcumembershipevent",
    "referrals_caseevent",
    "referrals_caseimportevent",
    "referrals_clockstopevent",
    "referrals_deadlinepolicyevent",
    "referrals_decisionevent",
    "referrals_followupevent",
    "referrals_headingmeaningevent",
    "referrals_personaltextevent",
    "referrals_referralevent",
    "referrals_referralnoticeevent",
    "referrals_strandmeaningevent",
    "referrals_bannerevent",
    "referrals_briefingattendanceevent",
    "referrals_briefingevent",
    "referrals_leaveevent",
    "referrals_mailboxtestevent",
    "referrals_placemoveevent",
    "referrals_teamevent",
    "referrals_teammembershipevent",
    "referrals_trialevent",
    "referrals_wardevent",
    "referrals_wardmodeevent",
}
EVERY_TABLE = sorted(TABLES | EVENT_TABLES)


def test_these_are_the_append_only_tables() -> None:
    """A table taken from the list, or one added, is a decision to be seen here."""
    assert set(append_only_tables()) == TABLES | EVENT_TABLES


@pytest.fixture
def rows(db: None) -> None:
    """A row in each of them."""
    with acting("test", by=None):
        case = factories.CaseFactory.create()
        factories.PersonalTextFactory.create(case=case)
        factories.CaseImportFactory.create()
        factories.HeadingMeaningFactory.create()
        factories.StrandMeaningFactory.create()
        factories.DecisionFactory.create(case=case)
        factories.UnitKeyFactory.create(allocation__case=case)
        factories.FollowUpFactory.create()
        factories.CrimeRecordEventFactory.create()
        factories.HandOverFactory.create()
        factories.DeadlinePolicyFactory.create()
        factories.BankHolidayFactory.create()
        factories.DueMoveFactory.create()
        factories.LateDecisionFactory.create()
        factories.ReferralNoticeFactory.create()
        factories.ReferralOrderFactory.create()
        factories.SettledAttemptFactory.create()
        factories.SafetyDecisionFactory.create()
        factories.ReopeningFactory.create()
        factories.ReopenedDecisionFactory.create()
        factories.FoundNotSuitableFactory.create()
        factories.WardModeFactory.create()
        factories.TeamMembershipFactory.create()
        factories.LeaveFactory.create()
        factories.BriefingAttendanceFactory.create()
        factories.BannerFactory.create()
        factories.NotedChangeFactory.create()
        factories.TeamGoalFactory.create()
        factories.MailboxTestFactory.create()
        factories.PlaceMoveFactory.create()
        factories.BcuMembershipFactory.create()
        factories.RecordedOutcomeFactory.create()
        factories.AuditEntryFactory.create()
        factories.DeviationFactory.create()
        factories.ControlCheckFactory.create()
        factories.TrialNoticeFactory.create()
        factories.DataSetFactory.create()
        factories.LookFactory.create()
        factories.AccessAnswerFactory.create()


def _identifier(table: str) -> sql.Identifier:
    return sql.Identifier(table)


def _first_column(table: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum = 1", [table]
        )
        return str(cursor.fetchone()[0])


def _statement(kind: str, table: str) -> sql.Composed:
    column = sql.Identifier(_first_column(table))
    return {
        "UPDATE": sql.SQL("UPDATE {table} SET {column} = {column}"),
        "DELETE": sql.SQL("DELETE FROM {table}"),
        "TRUNCATE": sql.SQL("TRUNCATE {table} CASCADE"),
        "DISABLE TRIGGER": sql.SQL("ALTER TABLE {table} DISABLE TRIGGER ALL"),
        "DROP": sql.SQL("DROP TABLE {table} CASCADE"),
    }[kind].format(table=_identifier(table), column=column)


def _has_a_row(table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT EXISTS (SELECT FROM {table})").format(table=_identifier(table)))
        return bool(cursor.fetchone()[0])


def _try(statement: sql.Composable) -> Error | None:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    except Error as error:
        return error
    return None


@pytest.mark.parametrize("kind", ["UPDATE", "DELETE", "TRUNCATE", "DISABLE TRIGGER", "DROP"])
def test_the_runtime_role_is_refused(rows: None, kind: str) -> None:
    assert [table for table in EVERY_TABLE if not _has_a_row(table)] == [], "no row to be hit"
    refused = {table: _try(_statement(kind, table)) for table in EVERY_TABLE}
    let_through = {
        table: error
        for table, error in refused.items()
        if not isinstance(error, ProgrammingError)
        or not re.search(r"permission denied|must be owner", str(error))
    }
    assert let_through == {}


@pytest.mark.parametrize("kind", ["UPDATE", "DELETE"])
def test_triggers_refuse_the_owner(rows: None, kind: str) -> None:
    with owner_rights():
        refused = {table: _try(_statement(kind, table)) for table in EVERY_TABLE}
    let_through = {
        table: error
        for table, error in refused.items()
        if not isinstance(error, InternalError) or "pgtrigger: Cannot" not in str(error)
    }
    assert let_through == {}


def test_the_runtime_role_cannot_switch_triggers_off_for_a_session(db: None) -> None:
    error = _try(sql.SQL("SET session_replication_role = replica"))
    assert isinstance(error, ProgrammingError)
    assert "permission denied" in str(error)


def test_ignoring_triggers_in_code_does_not_help_the_runtime_role(rows: None) -> None:
    """``pgtrigger.ignore`` is one line; the missing right stands behind it."""
    with pgtrigger.ignore(), pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        AuditEntry.objects.all().update(subject="another")


def test_no_trigger_is_ignored_whatever_the_session_says(rows: None) -> None:
    """Where the runtime role has the right to change a row, the trigger alone stands before it."""
    trial = factories.TrialFactory.create()
    pause = factories.PauseFactory.create(trial=trial)
    changes: list[Callable[[], object]] = [
        lambda: Trial.objects.filter(pk=trial.pk).update(seed_encrypted=b"another"),
        lambda: Trial.objects.filter(pk=trial.pk).update(protocol={}),
        lambda: trial.registrars.update(email="own@example.org"),
        lambda: trial.approvals.all().delete(),
        lambda: Pause.objects.filter(pk=pause.pk).update(reason="Another"),
        lambda: factories.AllocationFactory.create(trial=trial),
    ]
    for change in changes:
        with pgtrigger.ignore(), pytest.raises(Error), transaction.atomic():
            change()


def test_no_temporary_table_stands_in_for_a_true_one_in_a_trigger(rows: None) -> None:
    control = factories.AllocationFactory.create(arm=Arm.CONTROL)
    history = apps.get_model("referrals", "CaseEvent").objects
    before = history.count()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE referrals_allocation AS SELECT id, trial_id, arm, position, "
            "allocated_at - interval '99 days' AS allocated_at FROM public.referrals_allocation"
        )
        cursor.execute("CREATE TEMPORARY TABLE referrals_caseevent (LIKE public.referrals_caseevent)")
        with pytest.raises(Error, match="of_a_control_unit"), transaction.atomic():
            cursor.execute(
                "INSERT INTO public.referrals_controlcheck "
                "(allocation_id, contacted, checked_at, checked_by_id) "
                "VALUES (%s, false, %s, %s)",
                [control.pk, NOW, control.submission.submitted_by_id],
            )
        cursor.execute(
            "UPDATE public.referrals_case SET crime_reference = '01/1/26' WHERE id = %s", [control.case_id]
        )
        cursor.execute("DROP TABLE pg_temp.referrals_allocation, pg_temp.referrals_caseevent")
    assert history.count() == before + 1


def test_the_runtime_role_deletes_from_no_table_but_these(db: None) -> None:
    """Safety notes, cases, referrals and trials among them: a deletion of those leaves no history."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' "
            "AND has_table_privilege(oid, 'DELETE') ORDER BY relname"
        )
        assert tuple(table for (table,) in cursor.fetchall()) == DELETABLE_TABLES


@pytest.mark.parametrize("model", [Allocation, ContactAttempt, UnitKey, AuditEntry])
def test_the_runtime_role_may_add_and_read(rows: None, model: type[Model]) -> None:
    assert model._default_manager.exists()


def test_the_runtime_role_owns_nothing_and_may_make_nothing(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = %s", [runtime_role()]
        )
        assert cursor.fetchone() == (False, False, False)
        cursor.execute("SELECT count(*) FROM pg_class WHERE relowner = %s::regrole", [runtime_role()])
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT has_schema_privilege('public', 'CREATE')")
        assert cursor.fetchone() == (False,)


def test_the_tests_run_with_the_runtime_role_s_rights(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == (runtime_role(),)
