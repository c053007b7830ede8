"""What speaks against a case being suitable. All but one are warnings: the decision is the HCOP's."""

from dataclasses import dataclass

from referrals.rules.crime_record import CANCELLED, RECLASSIFIED, TRANSFERRED, UNFLAGGED, grounds

_WARNED = {
    CANCELLED: "Crime cancelled",
    TRANSFERRED: "Transferred to another force or BCU",
    RECLASSIFIED: "Incident, not a crime",
    UNFLAGGED: "Hate flag taken off",
}
_INELIGIBLE = {
    CANCELLED: "The crime was cancelled: mark it not suitable.",
    TRANSFERRED: "The crime was transferred to another force or BCU: mark it not suitable.",
    RECLASSIFIED: "This is an incident, not a crime: mark it not suitable.",
    UNFLAGGED: "The hate flag was taken off the crime record: mark it not suitable.",
}


@dataclass(frozen=True)
class Report:
    """What the rules need to know of a report."""

    is_crime: bool
    crime_status: str
    hate_flag: bool
    individual_victim: bool
    under_18: bool
    ward_known: bool

    @property
    def grounds(self) -> list[str]:
        """Why it is no hate crime of the BCU; empty while it is one."""
        return grounds(is_crime=self.is_crime, crime_status=self.crime_status, hate_flag=self.hate_flag)


def warnings(report: Report) -> list[str]:
    """Short words for each thing to look at, the weightiest first; empty when there is nothing."""
    found = warnings_of_record(report)
    if not report.individual_victim:
        found.append("No individual victim")
    if not report.ward_known:
        found.append("Unknown postcode: choose a team")
    if report.under_18:
        found.append("Under 18")
    return found


def warnings_of_record(report: Report) -> list[str]:
    """Of these, what the crime record says: it may come at any time, long after the decision."""
    return [_WARNED[ground] for ground in report.grounds]


def ineligible_because(report: Report) -> str:
    """Why the report cannot be suitable whatever anybody thinks, in one sentence; empty when it can be.

    The pilot's one rule: a hate incident that is no crime is out. A crime that is cancelled, gone to another
    force, or no hate crime any more is none here.
    """
    return _INELIGIBLE[report.grounds[0]] if report.grounds else ""
