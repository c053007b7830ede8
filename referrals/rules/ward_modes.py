"""Which mode of a ward counts on a day, when its trial may not have begun, be paused or be over. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum

SRC_FOR_ALL, TRIAL, NOT_STARTED = "src_for_all", "trial", "not_started"


class RecruitmentPhase(Enum):
    """How a trial stands towards new cases."""

    NOT_YET = "not yet"
    ON = "on"
    PAUSED_SRC = "paused, SRC for all meanwhile"
    PAUSED_USUAL = "paused, usual service meanwhile"
    OVER = "over"


@dataclass(frozen=True)
class Planned:
    """A ward's mode from a day on; ``trial`` is the key of its trial, where the mode is a trial."""

    starts_on: date
    mode: str
    trial: int | None = None


def mode_on(
    day: date, planned: Sequence[Planned], recruitment: Mapping[int, RecruitmentPhase]
) -> tuple[str, int | None]:
    """The mode that counts for a report of that day, and the trial that recruits there, if one does.

    A trial that has not begun leaves the ward's mode as it was before. One that is over leaves the ward to
    its next planned mode, whenever that begins, and to SRC for all where none is planned. Before its first
    mode a ward gives SRC to all.
    """
    ordered = sorted(planned, key=lambda each: each.starts_on)
    place = sum(each.starts_on <= day for each in ordered) - 1
    over = False
    while 0 <= place < len(ordered):
        each = ordered[place]
        if each.trial is None:
            return each.mode, None
        match recruitment[each.trial]:
            case RecruitmentPhase.ON:
                return TRIAL, each.trial
            case RecruitmentPhase.PAUSED_SRC:
                return SRC_FOR_ALL, None
            case RecruitmentPhase.PAUSED_USUAL:
                return NOT_STARTED, None
            case RecruitmentPhase.OVER:
                over = True
                place += 1
            case RecruitmentPhase.NOT_YET:
                if over:
                    break
                place -= 1
    return SRC_FOR_ALL, None
