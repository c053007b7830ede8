"""What speaks against a case being suitable. All but one are warnings: the decision is the HCOP's."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Report:
    """What the rules need to know of a report."""

    is_crime: bool
    individual_victim: bool
    under_18: bool
    ward_known: bool


def warnings(report: Report) -> list[str]:
    """Short words for each thing to look at, the weightiest first; empty when there is nothing."""
    found = []
    if not report.is_crime:
        found.append("Incident, not a crime")
    if not report.individual_victim:
        found.append("No individual victim")
    if not report.ward_known:
        found.append("Unknown postcode: choose a team")
    if report.under_18:
        found.append("Under 18")
    return found


def barred(report: Report) -> str:
    """Why the report cannot be suitable whatever anybody thinks, in one sentence; empty when it can be.

    The pilot's one rule: a hate incident that is no crime is out.
    """
    if not report.is_crime:
        return "This is an incident, not a crime: mark it not suitable."
    return ""
