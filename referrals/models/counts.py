"""What the database keeps up to date by itself, so that no page counts or sorts through the whole past.

How referrals ended is counted as rows that add up: each change adds a row, no row is changed, and so nobody
waits for another's count. ``referrals.compliance.counts`` folds them and compares them with what they count.
"""

from collections.abc import Iterator

import pgtrigger
from django.conf import settings
from django.db import models

from referrals.models.places import Ward
from src_app.database import read_sql


def _by_due(name: str) -> models.Index:
    return models.Index(
        fields=["due_on", "ward"], include=["in_time", "late", "closed_without_contact"], name=name
    )


class _Counted(models.Model):
    ward = models.ForeignKey(Ward, on_delete=models.PROTECT, related_name="+", db_index=False)
    due_on = models.DateField()
    in_time = models.IntegerField()
    late = models.IntegerField()
    closed_without_contact = models.IntegerField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.ward}, {self.due_on}"


class ContactCount(_Counted):
    """A change in how many referrals of a ward, due on a day in London, ended in time, late or uncontacted.

    The sum over all rows of a ward and day is how many there are; the numbers of one row may be negative.
    """

    class Meta:
        indexes = [_by_due("contact_count_by_day")]


class WeekContactCount(_Counted):
    """The same of those due in a week from Monday to Sunday, which its Monday names.

    Most periods are of whole weeks, and read a seventh of the rows.
    """

    class Meta:
        indexes = [_by_due("contact_count_by_week")]


# The tables of these counts, by the span that a row is of.
COUNTS_BY = {"day": "referrals_contactcount", "week": "referrals_weekcontactcount"}


def counted_contacts(span: str, rows: str) -> str:
    """SQL: the counts by ward and day, or week, of those of these rows of the referral table that ended."""
    path = "referrals/models/sql/counted_contacts.sql"
    return read_sql(path, span=span, rows=rows, time_zone=settings.TIME_ZONE)


def kept_contacts(span: str, where: str = "true") -> str:
    """SQL: the rows that keep the counts by day or week."""
    return f"""
        SELECT ward_id, due_on, in_time, late, closed_without_contact FROM {COUNTS_BY[span]} WHERE {where}
    """  # noqa: S608 - names that the code gives


def added_contacts(span: str, *, more: str, less: str) -> str:
    """SQL: adds the differences between two such counts, and nothing where there is none."""
    path = "referrals/models/sql/added_contacts.sql"
    return read_sql(path, table=COUNTS_BY[span], more=more, less=less)


def _referencing(**names: str) -> pgtrigger.Referencing:
    return pgtrigger.Referencing(**names)  # type: ignore[no-untyped-call]


def after_each(
    name: str, insert: str = "", update: str = "", delete: str = ""
) -> Iterator[pgtrigger.Trigger]:
    """Triggers that run the SQL once a statement, with its ``new_rows`` and ``old_rows`` as tables."""
    for operation, statement, referencing in (
        (pgtrigger.Insert, insert, _referencing(new="new_rows")),
        (pgtrigger.Update, update, _referencing(old="old_rows", new="new_rows")),
        (pgtrigger.Delete, delete, _referencing(old="old_rows")),
    ):
        if statement:
            yield pgtrigger.Trigger(
                name=f"{name}_{str(operation).lower()}",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=operation,
                referencing=referencing,
                func=f"{statement};\nRETURN NULL;",
            )


def count_contacts() -> list[pgtrigger.Trigger]:
    """Triggers on the referral table that count every change of it, whatever statement made it."""

    def added(more: str, less: str) -> str:
        return ";\n".join(
            added_contacts(
                span,
                more=counted_contacts(span, more) if more else kept_contacts(span, "false"),
                less=counted_contacts(span, less) if less else kept_contacts(span, "false"),
            )
            for span in COUNTS_BY
        )

    return list(
        after_each(
            "count_contacts",
            insert=added("new_rows", ""),
            update=added("new_rows", "old_rows"),
            delete=added("", "old_rows"),
        )
    )


def true_state(case: str) -> str:
    """SQL: what became of the case of that alias, as ``referrals.models.CaseState`` says it."""
    return f"""
        CASE WHEN EXISTS (SELECT FROM referrals_referral WHERE case_id = {case}.id) THEN 'referred'
        WHEN {case}.decided_at IS NULL THEN 'waiting'
        WHEN (SELECT suitable FROM referrals_decision WHERE case_id = {case}.id) THEN 'usual_service'
        ELSE 'not_suitable' END
    """  # noqa: S608


def keep_own_state() -> pgtrigger.Trigger:
    """A trigger on the case table that writes the true state, whatever state a change would write."""
    return pgtrigger.Trigger(
        name="keep_state",
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        condition=pgtrigger.Q(old__decided_at__df=pgtrigger.F("new__decided_at"))
        | pgtrigger.Q(old__state__df=pgtrigger.F("new__state")),
        func=f"NEW.state = {true_state('NEW')};\nRETURN NEW;",
    )


def keep_state_by_decision() -> list[pgtrigger.Trigger]:
    """Triggers on the decision table that renew the state of the decision's case.

    They leave alone a case whose decision is still a draft, and one that was referred.
    """
    decided = "CASE WHEN NEW.suitable THEN 'usual_service' ELSE 'not_suitable' END"
    may_change = "decided_at IS NOT NULL AND state <> 'referred'"
    return [
        refresh_case_state_trigger(pgtrigger.Insert, "NEW", decided, may_change),
        refresh_case_state_trigger(pgtrigger.Update, "NEW", decided, may_change),
        refresh_case_state_trigger(pgtrigger.Delete, "OLD", "'not_suitable'", may_change),
    ]


def keep_state_by_referral() -> list[pgtrigger.Trigger]:
    """Triggers on the referral table that renew the state of the referral's case.

    There is none on a change, as a referral is never given to another case.
    """
    return [
        refresh_case_state_trigger(pgtrigger.Insert, "NEW", "'referred'", "true"),
        refresh_case_state_trigger(pgtrigger.Delete, "OLD", "'waiting'", "true"),
    ]


def refresh_case_state_trigger(
    operation: pgtrigger.Operation, row: str, state: str, may_change: str
) -> pgtrigger.Trigger:
    """A trigger that gives the row's case the state ``state``, if ``may_change`` is true of the case.

    Both are SQL. The change sets off ``keep_own_state``, which writes the true state, whichever was given.

    It runs for each row: a join with a whole statement's rows is planned for the first statement of a session
    (of one row, or of thousands), and the plan is kept for all that follow.
    """
    return pgtrigger.Trigger(
        name=f"keep_state_of_case_{str(operation).lower()}",
        when=pgtrigger.After,
        operation=operation,
        func=read_sql(
            "referrals/models/sql/refresh_case_state.sql", row=row, state=state, may_change=may_change
        ),
    )
