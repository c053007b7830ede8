"""Cases that lack something, as a table."""

from referrals.cases.tables import CaseTable


class LackTable(CaseTable):
    """Without what became of a case: beside its outcome, that would tell of one arm."""

    state = None
