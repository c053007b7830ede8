"""What becomes of each row: compared with the cases there are, before anything is saved."""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

from referrals.intake.columns import CHANGEABLE_WHEN_DECIDED, FIELD_OF, TEXT_OF, WORDS, Column
from referrals.intake.rows import LONGEST_SHOWN, Reading, Rejection, Row, Warned
from referrals.models import Bcu, Case, PersonalText, Postcode, TextKind
from src_app.templatetags.words import moment

CHUNK = 1_000
Item = TypeVar("Item")


@dataclass(frozen=True)
class NewCase:
    """A row that becomes a case, in this ward."""

    row: Row
    ward_id: int | None

    @property
    def offence(self) -> str:
        """As the file has it; empty where it has none."""
        return str(self.row.fields.get("offence", ""))


@dataclass(frozen=True)
class ChangedCase:
    """A row that changes these columns' values of a case that is here."""

    row: Row
    case: Case = field(repr=False)
    texts: dict[TextKind, PersonalText] = field(repr=False)
    ward_id: int | None
    columns: tuple[Column, ...]

    @property
    def words(self) -> str:
        """What changes, for the person: ``safety note, ward``."""
        return ", ".join(WORDS[column] for column in self.columns)


@dataclass
class Fates:
    """Every row's fate. ``rejected`` counts rows, each with one rejection or more."""

    rows: int
    rejected: int
    new: list[NewCase] = field(default_factory=list)
    changed: list[ChangedCase] = field(default_factory=list)
    unchanged: list[Row] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    warnings: list[Warned] = field(default_factory=list)

    @property
    def to_save(self) -> int:
        """How many cases saving would make or change."""
        return len(self.new) + len(self.changed)

    def counts(self) -> dict[str, int]:
        """How many rows there are, and how many of each fate."""
        return {
            "rows": self.rows,
            "new": len(self.new),
            "unchanged": len(self.unchanged),
            "changed": len(self.changed),
            "rejected": self.rejected,
        }

    def report(self) -> dict[str, Any]:
        """The report that commands print as JSON."""
        return {
            **self.counts(),
            "warnings": [vars(warned) for warned in self.warnings],
            "rejections": [vars(rejection) for rejection in self.rejections],
        }

    def digest(self) -> str:
        """The same for the same fates: tells whether they changed since somebody looked."""
        lines = [
            *(f"{new.row.line} new {new.ward_id}" for new in self.new),
            *(
                f"{changed.row.line} {changed.words} {changed.case.changed_at.isoformat()}"
                for changed in self.changed
            ),
            *(f"{row.line} unchanged" for row in self.unchanged),
            *(f"{rejection.line} {rejection.reason}" for rejection in self.rejections),
        ]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def foresee(reading: Reading, *, bcu: Bcu, lock: bool = False) -> Fates:
    """What becomes of each row if it is saved now; with ``lock`` the cases stay as they are until commit.

    A decided case takes over its safety note, wishes, communication need and officer alone. A text that was
    erased stays so, and one that the extract leaves empty is kept.
    """
    fates = Fates(
        rows=reading.rows,
        rejected=reading.rejected,
        rejections=list(reading.rejections),
        warnings=list(reading.warnings),
    )
    wards = _wards(reading.good, bcu)
    cases, elsewhere = _cases([row.crime_reference for row in reading.good], bcu, lock=lock)
    texts = _texts(cases.values())
    refused: set[int] = set()
    for row in reading.good:
        if row.crime_reference in elsewhere:
            # Nothing is said of the case: it is not this BCU's to know.
            reason = "This reference cannot be imported here: check it on the crime record."
            value = row.crime_reference[:LONGEST_SHOWN]
            fates.rejections.append(Rejection(row.line, Column.CRIME_REFERENCE.value, value, reason))
            refused.add(row.line)
            continue
        ward_id = wards.get(row.postcode or "")
        if row.postcode is not None and ward_id is None:
            reason = f"No ward of {bcu.name} found by postcode: choose a team in the overnight review."
            fates.warnings.append(Warned(row.line, Column.VICTIM_POSTCODE.value, reason))
        case = cases.get(row.crime_reference)
        if case is None:
            fates.new.append(NewCase(row, ward_id))
        else:
            _compare(fates, row, case, texts.get(case.pk, {}), ward_id)
    _warn_of_older_values(fates, reading)
    fates.rejected += len(refused)
    fates.rejections.sort(key=lambda rejection: rejection.line)
    fates.warnings = sorted(
        (warned for warned in fates.warnings if warned.line not in refused), key=lambda warned: warned.line
    )
    return fates


def chunks(items: Sequence[Item]) -> Iterator[list[Item]]:
    """The items in lists of at most 1,000: the number of queries does not grow with each row."""
    waiting = iter(items)
    while chunk := list(islice(waiting, CHUNK)):
        yield chunk


def _wards(rows: Sequence[Row], bcu: Bcu) -> dict[str, int]:
    postcodes = sorted({row.postcode for row in rows if row.postcode})
    found: dict[str, int] = {}
    for chunk in chunks(postcodes):
        known = Postcode.objects.filter(pk__in=chunk, ward__borough__bcu=bcu)
        found.update(known.values_list("pk", "ward_id"))
    return found


def _cases(references: Sequence[str], bcu: Bcu, *, lock: bool) -> tuple[dict[str, Case], set[str]]:
    """This BCU's cases by reference, and the references that are another's."""
    own: list[int] = []
    elsewhere: set[str] = set()
    for chunk in chunks(references):
        known = Case.objects.filter(crime_reference__in=chunk)
        for pk, reference, bcu_id in known.values_list("pk", "crime_reference", "bcu_id"):
            if bcu_id == bcu.pk:
                own.append(pk)
            else:
                elsewhere.add(reference)
    cases: dict[str, Case] = {}
    # Locked in the order of their keys over all chunks, as every action that locks several cases does.
    for numbers in chunks(sorted(own)):
        found = Case.objects.filter(pk__in=numbers).order_by("pk")
        cases |= {case.crime_reference: case for case in (found.select_for_update() if lock else found)}
    return cases, elsewhere


def _texts(cases: Collection[Case]) -> dict[int, dict[TextKind, PersonalText]]:
    texts: dict[int, dict[TextKind, PersonalText]] = {}
    for chunk in chunks([case.pk for case in cases]):
        for text in PersonalText.objects.filter(case__in=chunk, kind__in=TEXT_OF.values()):
            texts.setdefault(text.case_id, {})[TextKind(text.kind)] = text
    return texts


def _compare(
    fates: Fates, row: Row, case: Case, texts: dict[TextKind, PersonalText], ward_id: int | None
) -> None:
    differing = _differing(row, case, texts, ward_id)
    if case.decided_at is not None:
        for column in differing:
            if column not in CHANGEABLE_WHEN_DECIDED:
                reason = f"The case was decided on {moment(case.decided_at)}: this change is not taken over."
                fates.warnings.append(Warned(row.line, column.value, reason))
        differing = [column for column in differing if column in CHANGEABLE_WHEN_DECIDED]
    for column in [column for column in differing if _empties(row, column)]:
        differing.remove(column)
        reason = f"The extract has no {WORDS[column]} for this case: the one here is kept."
        fates.warnings.append(Warned(row.line, column.value, reason))
    if differing:
        fates.changed.append(ChangedCase(row, case, texts, ward_id, tuple(differing)))
    else:
        fates.unchanged.append(row)


def _differing(
    row: Row, case: Case, texts: dict[TextKind, PersonalText], ward_id: int | None
) -> list[Column]:
    wanted = dict(row.fields)
    if row.postcode is not None:
        wanted[FIELD_OF[Column.VICTIM_POSTCODE]] = ward_id
    differing = [
        column for column, name in FIELD_OF.items() if name in wanted and getattr(case, name) != wanted[name]
    ]
    for column, kind in TEXT_OF.items():
        kept = texts.get(kind)
        erased = kept is not None and kept.erased_at is not None
        if kind in row.texts and not erased and row.texts[kind] != (kept.body if kept else ""):
            differing.append(column)
    return differing


def _empties(row: Row, column: Column) -> bool:
    """Whether the row would take away a text: too much to lose for want of a cell."""
    return column in TEXT_OF and not row.texts[TEXT_OF[column]]


def _warn_of_older_values(fates: Fates, reading: Reading) -> None:
    """An extract does not say when it was made; a case saved here after its last report is a sign of age."""
    last_report = max((row.fields["reported_at"] for row in reading.good), default=None)
    for found in fates.changed:
        if last_report is not None and found.case.changed_at > last_report:
            reason = (
                f"Saved here on {moment(found.case.changed_at)}, after the last report of this extract: "
                "make sure that this extract is the newer."
            )
            fates.warnings.append(Warned(found.row.line, Column.CRIME_REFERENCE.value, reason))
