"""What comes next in a trial's life: which step, in which words, and who is offered it."""

from dataclasses import dataclass

from referrals.models import Mode, TrialStatus
from referrals.trial.readers.page import TrialPage
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.templatetags.words import counted, day, moment, of


@dataclass(frozen=True)
class Link:
    """A button that leads to the page of a step. ``is_main``: what most readers are here for."""

    words: str
    url_name: str
    is_main: bool = False


@dataclass(frozen=True)
class NextStep:
    """What the page of a trial says under "Next" to one reader.

    ``notice`` comes first and in bold. ``lacking``: what the draft still needs. ``bundle``: what is in the
    bundle, for those who may download it; empty for everybody else.
    """

    words: str
    links: tuple[Link, ...] = ()
    notice: str = ""
    lacking: tuple[str, ...] = ()
    bundle: str = ""


def next_step(page: TrialPage, user: User) -> NextStep:
    """What comes next for this reader of the trial."""
    notice, words = _words(page)
    return NextStep(
        notice=notice,
        words=words,
        links=(*_managed(page, user), *_sealed(page, user)),
        lacking=tuple(page.lacking),
        bundle=_bundle(page, user),
    )


def _words(page: TrialPage) -> tuple[str, str]:
    """What is said in bold, and what follows it."""
    trial, pause = page.trial, page.pause
    allocated = of(page.units, trial.design.target)
    match trial.status:
        case TrialStatus.DRAFT:
            return "", _draft_words(page)
        case TrialStatus.SEALED:
            return "", (
                "The protocol cannot be changed any more. Recruitment may be opened from "
                f"{day(trial.conduct.recruits_from)} on; put wards in trial mode first."
            )
        case TrialStatus.RECRUITING if pause is not None:
            instead = "usual service" if pause.meanwhile == Mode.NOT_STARTED else "SRC"
            return "Recruitment is paused", (
                f"since {moment(pause.paused_at)}, by {pause.paused_by}: {pause.reason} "
                f"Meanwhile suitable cases get {instead}."
            )
        case TrialStatus.RECRUITING:
            return "", (
                f"{allocated} victims are allocated. Recruitment closes by itself when the target is "
                f"reached, or after {day(trial.conduct.recruits_until)}."
            )
        case TrialStatus.CLOSED:
            followed = counted(trial.conduct.follow_up_days, "day,days")
            return "", (
                f"{allocated} victims were allocated. Outcomes can be locked when every case has been "
                f"followed for {followed} and every control was looked up on the crime record."
            )
        case TrialStatus.LOCKED:
            return "", (
                "Outcomes are locked. Reveal the seed: then anybody can check that every draw was made as "
                "the protocol says."
            )
        case _:
            return "", (
                "The trial is over, and its seed is published. Anybody can check every allocation with the "
                "bundle."
            )


def _draft_words(page: TrialPage) -> str:
    if page.lacking:
        return "Before it can be proposed, this draft still needs:"
    if not page.trial.proposed_at:
        return "Everything is there. Propose it: then somebody else reads it and seals it."
    if page.proposed_by_reader:
        return "You proposed it. Somebody else has to read it and to seal it."
    return f"{page.trial.proposed_by} proposed it. Read the protocol and the approvals below, then seal it."


def _managed(page: TrialPage, user: User) -> tuple[Link, ...]:
    """The steps of whoever manages trials."""
    if not user.can(Permission.MANAGE_TRIALS):
        return ()
    match page.trial.status:
        case TrialStatus.DRAFT:
            is_ready = not page.lacking and not page.trial.proposed_at
            propose = (Link("Propose", "propose_trial", is_main=True),) if is_ready else ()
            change = Link("Change the protocol", "design_trial")
            return (*propose, change, Link("Delete the draft", "delete_trial"))
        case TrialStatus.SEALED:
            return (Link("Open recruitment", "open_trial", is_main=True),)
        case TrialStatus.RECRUITING:
            pause = Link("Pause", "pause_trial")
            resume = Link("Resume", "resume_trial", is_main=True)
            return (resume if page.pause else pause, Link("Close to recruitment", "close_trial"))
        case TrialStatus.LOCKED:
            return (Link("Reveal the seed", "reveal_trial", is_main=True),)
        case _:
            return ()


def _sealed(page: TrialPage, user: User) -> tuple[Link, ...]:
    """The seal, for whoever may seal and did not propose it."""
    is_proposed = page.trial.status == TrialStatus.DRAFT and page.trial.proposed_at is not None
    if is_proposed and not page.proposed_by_reader and user.can(Permission.SEAL_TRIALS):
        return (Link("Read and seal", "seal_trial", is_main=True),)
    return ()


def _bundle(page: TrialPage, user: User) -> str:
    if not page.trial.commitment or not user.can(Permission.EXPORT_TRIALS):
        return ""
    if page.trial.revealed_seed:
        return "with the seed and every arm, for trial_verify"
    return "the links of the chain alone, until the seed is revealed"
