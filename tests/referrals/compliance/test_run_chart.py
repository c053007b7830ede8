"""The finding above the run chart, against series whose answer is known."""

import pytest

from referrals.compliance.run_chart import finding

NOTHING = "Contact in time shows no clear change"


@pytest.mark.parametrize(
    ("percent", "expected"),
    [
        # Too few to tell.
        ([], "Contact in time: too few weeks to tell a change from chance"),
        ([10, 20, 30, 40, 50, 60, 70], "Contact in time: too few weeks to tell a change from chance"),
        # Nothing: up and down, all alike, and four of a rise.
        ([60, 70, 60, 70, 60, 70, 60, 70], NOTHING),
        ([65] * 12, NOTHING),
        ([60, 71, 62, 70, 59, 69, 58, 57, 63, 64, 65], NOTHING),
        # Five rising, the first point counted, and a point equal to the one before adds nothing.
        ([66, 68, 61, 70, 60, 62, 64, 66, 69], "Contact in time has risen for 5 weeks"),
        ([66, 68, 61, 70, 60, 62, 62, 64, 66, 69], "Contact in time has risen for 5 weeks"),
        ([60, 70, 61, 72, 70, 68, 66, 64, 50], "Contact in time has fallen for 6 weeks"),
        # A rise that has ended is none now.
        ([60, 61, 62, 63, 64, 65, 60, 66, 59, 67], NOTHING),
        # Six on one side of the median; points on it neither break nor lengthen the run.
        (
            [50, 52, 49, 51, 53, 50, 70, 72, 69, 71, 68, 73],
            "Contact in time has been above its median for 6 weeks",
        ),
        (
            [70, 72, 69, 71, 73, 70, 60, 50, 52, 49, 60, 51, 53, 50],
            "Contact in time has been below its median for 6 weeks",
        ),
        # Five are not enough.
        ([50, 70, 49, 51, 53, 50, 52, 70, 72, 69, 71, 68], NOTHING),
    ],
)
def test_the_finding_follows_the_rules(percent: list[int], expected: str) -> None:
    assert finding([share / 100 for share in percent]) == expected
