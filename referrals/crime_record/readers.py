"""Flags to see to on the crime management system, and how a crime record stood."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import NamedTuple

from django.db.models import (
    Q,
    QuerySet,
)
from django.db.models.lookups import In
from django.utils import timezone

from referrals.models import (
    Allocation,
    Arm,
    Bcu,
    Case,
    CaseState,
    CrimeRecordEvent,
    DeviationKind,
    Referral,
    backwards,
)
from referrals.rules.crime_record import FlagStanding, RecordedFlag, flag_standing
from referrals.rules.deadlines import UNDONE_WITHIN
from referrals.scope import flags_visible_to
from referrals.trial.readers.deviations import standing_deviations
from src_app.accounts.models import User


def flags_to_confirm(user: User) -> QuerySet[Referral]:
    """Referrals whose flag on the crime management system is not confirmed yet, the oldest first."""
    flags = _flags(user).filter(flag_confirmed_at__isnull=True, ruled_out_since__isnull=True)
    return flags.order_by("made_at", "pk")


def flags_to_remove(user: User) -> QuerySet[Referral]:
    """Referrals whose flag has to go, the first ruled out first.

    One that was never confirmed here may have been set on the crime management system all the same.
    """
    flags = _flags(user).filter(ruled_out_since__isnull=False, flag_removed_at__isnull=True)
    return flags.order_by("ruled_out_since", "pk")


def just_confirmed(user: User, at: datetime) -> QuerySet[Referral]:
    """Referrals whose flag the account itself confirmed lately, unless it has to go since."""
    return _flags(user).filter(
        flag_confirmed_by=user, flag_confirmed_at__gt=at - UNDONE_WITHIN, ruled_out_since__isnull=True
    )


def just_removed(user: User, at: datetime) -> QuerySet[Referral]:
    """Referrals whose flag the account itself lately confirmed to be off."""
    return _flags(user).filter(flag_removed_by=user, flag_removed_at__gt=at - UNDONE_WITHIN)


def _flags(user: User) -> QuerySet[Referral]:
    return flags_visible_to(user).select_related("case", "ward", "team")


def crime_record_standings(case_ids: Collection[int]) -> dict[int, str]:
    """How the crime record of each case stood when it last changed after the decision, if it ever did."""
    latest = CrimeRecordEvent.objects.filter(case__in=case_ids).order_by("case", "-pk").distinct("case")
    return dict(latest.values_list("case", "kind"))


@dataclass(frozen=True)
class FlagCase:
    """A case whose flag was looked for in a list; without a referral ``number`` is empty.

    ``is_control``: its flag is a deviation from the trial, recorded already where it ``is_settled``.
    """

    case_id: int
    reference: str
    state: str
    referral_id: int | None = None
    number: str = ""
    is_control: bool = False
    is_settled: bool = False


@dataclass(frozen=True)
class GivenList:
    """A list of flags as it met a BCU's cases: how many references it has, and the keys of cases found."""

    taken_on: date
    references: int
    found: tuple[int, ...]

    @property
    def unknown(self) -> int:
        """How many references are of no case that is kept in the BCU."""
        return max(self.references - len(self.found), 0)


STANDING_WORDS = {
    FlagStanding.MISSING: "Not flagged there but should be",
    FlagStanding.NOT_CONFIRMED: "Flagged there and not confirmed here",
    FlagStanding.TO_REMOVE: "To remove",
    FlagStanding.OFF: "Off there and not said so here",
    FlagStanding.EXTRA: "Flagged there but should not be",
    FlagStanding.MATCHING: "Matching",
}
FlagCases = dict[FlagStanding, list[FlagCase]]


def cases_listed(bcu: Bcu, signs: Collection[str]) -> tuple[int, ...]:
    """Keys of the BCU's cases whose references have these letters and digits, in capitals."""
    cases = Case.objects.filter(In(backwards("crime_reference"), [each[::-1] for each in signs]), bcu=bcu)
    return tuple(cases.order_by("pk").values_list("pk", flat=True))


def flag_cases(bcu: Bcu, given: GivenList) -> FlagCases:
    """The BCU's cases by how their flags stand, in the order of reports; always in three queries."""
    sorted_cases: FlagCases = {standing: [] for standing in FlagStanding}
    for row, in_list in _flag_rows(bcu, given.found):
        standing = flag_standing(_recorded(row), in_list=in_list, taken_on=given.taken_on)
        if standing is not None:
            sorted_cases[standing].append(_flag_case(row))
    extra = sorted_cases[FlagStanding.EXTRA]
    settled = _settled([case.case_id for case in extra if case.is_control])
    sorted_cases[FlagStanding.EXTRA] = [replace(case, is_settled=case.case_id in settled) for case in extra]
    return sorted_cases


class _FlagRow(NamedTuple):
    case_id: int
    reference: str
    state: str
    arm: str | None
    referral_id: int | None
    number: str | None
    made_at: datetime
    confirmed_at: datetime | None
    ruled_out_since: datetime | None
    removed_at: datetime | None


# Where each part of a row is, from the case.
_PATHS = (
    "pk",
    "crime_reference",
    "state",
    "allocation__arm",
    "referral",
    "referral__number",
    "referral__made_at",
    "referral__flag_confirmed_at",
    "referral__ruled_out_since",
    "referral__flag_removed_at",
)


def _flag_rows(bcu: Bcu, found: Collection[int]) -> Iterator[tuple[_FlagRow, bool]]:
    """The cases found, then the referred ones that were not, each with whether it was found."""
    cases = Case.objects.filter(bcu=bcu).order_by("reported_at", "pk")
    listed = Q(pk__in=found)
    for condition, in_list in ((listed, True), (Q(referral__isnull=False) & ~listed, False)):
        for row in cases.filter(condition).values_list(*_PATHS):
            yield _FlagRow(*row), in_list


def _recorded(row: _FlagRow) -> RecordedFlag | None:
    if row.referral_id is None:
        return None
    return RecordedFlag(
        referred_on=timezone.localdate(row.made_at),
        confirmed_on=_day(row.confirmed_at),
        ruled_out=row.ruled_out_since is not None,
        removed_on=_day(row.removed_at),
    )


def _day(at: datetime | None) -> date | None:
    return timezone.localdate(at) if at else None


def _flag_case(row: _FlagRow) -> FlagCase:
    return FlagCase(
        case_id=row.case_id,
        reference=row.reference,
        state=CaseState.label_of(row.state),
        referral_id=row.referral_id,
        number=row.number or "",
        is_control=row.arm == Arm.CONTROL,
    )


def _settled(controls: Collection[int]) -> set[int]:
    """Cases of these, by key, whose flag is recorded as a deviation."""
    recorded = standing_deviations(Allocation.objects.filter(case__in=controls))
    flagged = recorded.filter(kind=DeviationKind.FLAGGED)
    return set(flagged.values_list("allocation__case", flat=True))
