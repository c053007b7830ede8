"""What pages and jobs read. Row scope lives here: a page never reads a table but through ``visible_to``."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import (
    BooleanField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
)
from django.utils import timezone

from referrals.models import (
    FOR_THE_HCOP,
    OF_CONTROL,
    Allocation,
    Arm,
    Bcu,
    Case,
    CaseImport,
    ContactAttempt,
    CrimeRecordEvent,
    Deviation,
    FollowUp,
    FollowUpKind,
    ImportSource,
    ImportStatus,
    PersonalText,
    Referral,
    ReferralNotice,
    ReferralStatus,
    Submission,
    Team,
    TextKind,
    Trial,
    TrialStatus,
    VictimType,
    Ward,
)
from referrals.rules.eligibility import Report
from referrals.scope import Places, places_of
from src_app.accounts.models import User
from src_app.accounts.roles import Permission, Role

LOST_EXTRACT_NAMED_FOR = timedelta(days=3)
# Trials that may have allocated, and whose outcomes are not locked.
UNLOCKED = (TrialStatus.RECRUITING, TrialStatus.CLOSED)


def bcus_of(user: User) -> QuerySet[Bcu]:
    """The BCUs this account belongs to today."""
    return Bcu.objects.filter(pk__in=places_of(user).bcus)


def teams_of(user: User) -> QuerySet[Team]:
    """The neighbourhood teams this account belongs to today."""
    return Team.objects.filter(pk__in=places_of(user).teams)


def cases_visible_to(user: User) -> QuerySet[Case]:
    """Cases, control cases among them: for those who review, and nobody else."""
    if not user.can(Permission.VIEW_CASES):
        return Case.objects.none()
    return Case.objects.filter(bcu__in=places_of(user).bcus)


def referrals_visible_to(user: User) -> QuerySet[Referral]:
    """Referrals of the account's BCUs (HCOP) or of its own teams (officers and supervisors)."""
    if not user.can(Permission.VIEW_REFERRALS):
        return Referral.objects.none()
    return Referral.objects.filter(_within(places_of(user), team="team", bcu="case__bcu"))


def wards_visible_to(user: User) -> QuerySet[Ward]:
    """The wards whose compliance the account may see: of its BCUs, or of its own teams."""
    if not user.can(Permission.VIEW_COMPLIANCE):
        return Ward.objects.none()
    return Ward.objects.filter(_within(places_of(user), team="team", bcu="borough__bcu"))


def _within(places: Places, *, team: str, bcu: str) -> Q:
    """Of rows that lead to a team and to a BCU: those of the places; what is not asked for joins nothing."""
    of_teams, of_bcus = Q(**{f"{team}__in": places.teams}), Q(**{f"{bcu}__in": places.bcus})
    if not places.bcus:
        return of_teams
    return of_teams | of_bcus if places.teams else of_bcus


def imports_visible_to(user: User) -> QuerySet[CaseImport]:
    """Extracts uploaded for the account's BCUs."""
    if not user.can(Permission.IMPORT_CASES):
        return CaseImport.objects.none()
    return CaseImport.objects.filter(bcu__in=places_of(user).bcus)


def bcus_to_import_for(user: User) -> QuerySet[Bcu]:
    """The BCUs whose extracts the account may import: its own; commands and tasks work for all."""
    if not user.can(Permission.IMPORT_CASES):
        return Bcu.objects.none()
    return Bcu.objects.all() if user.role == Role.SYSTEM else bcus_of(user)


def latest_imports(user: User) -> QuerySet[CaseImport]:
    """Extracts without their content, the latest first."""
    return (
        imports_visible_to(user)
        .select_related("bcu", "uploaded_by")
        .defer("report_encrypted")
        .order_by("-uploaded_at", "-pk")
    )


def imports_to_see_to(user: User, at: datetime) -> QuerySet[CaseImport]:
    """Extracts that ask for somebody, the latest first: each for a day at most, as long as it is kept.

    Columns are to be matched, or fates to be confirmed that would change something; or one could not be read,
    or came through the watched folder with rows that were rejected, and no file of that BCU has been saved by
    hand since. One of the folder of which nothing was saved is named for three days, whatever else came:
    nobody saw it arrive, and a weekend may lie between.
    """
    by_hand = CaseImport.objects.filter(
        bcu=OuterRef("bcu"),
        source=ImportSource.PAGE,
        status=ImportStatus.SAVED,
        settled_at__gt=OuterRef("settled_at"),
    )
    unread = Q(source=ImportSource.PAGE, status=ImportStatus.REFUSED)
    not_all_saved = Q(source=ImportSource.FOLDER, status=ImportStatus.SAVED, rejected__gt=0)
    lost = Q(source=ImportSource.FOLDER, status__in=[ImportStatus.REFUSED, ImportStatus.EXPIRED])
    return (
        imports_visible_to(user)
        .filter(
            Q(
                Q(status=ImportStatus.MATCHING)
                | Q(status=ImportStatus.WAITING) & (Q(new__gt=0) | Q(changed__gt=0) | Q(rejected__gt=0))
                | ((unread | not_all_saved) & ~Exists(by_hand)),
                uploaded_at__gt=at - settings.WAITING_EXTRACT_KEPT_FOR,
            )
            | Q(lost, uploaded_at__gt=at - LOST_EXTRACT_NAMED_FOR)
        )
        .select_related("bcu", "uploaded_by")
        .defer("report_encrypted")
        .order_by("-uploaded_at", "pk")
    )


def latest_extract(user: User) -> CaseImport | None:
    """The extract of the account's BCUs that arrived last, of those that were saved."""
    saved = imports_visible_to(user).filter(status=ImportStatus.SAVED)
    return saved.select_related("bcu").defer("report_encrypted").order_by("-uploaded_at", "pk").first()


def submissions_visible_to(user: User) -> QuerySet[Submission]:
    """Submitted days of the account's BCUs."""
    if not user.can(Permission.REVIEW_CASES):
        return Submission.objects.none()
    return Submission.objects.filter(bcu__in=places_of(user).bcus)


def latest_submissions(user: User) -> QuerySet[Submission]:
    """The last five days submitted, the latest first."""
    return (
        submissions_visible_to(user)
        .select_related("bcu", "submitted_by")
        .order_by("-submitted_at", "-pk")[:5]
    )


def follow_ups_visible_to(user: User) -> QuerySet[FollowUp]:
    """What somebody must act on, for referrals the account may see; some of it is the HCOP's alone."""
    if not user.can(Permission.ACKNOWLEDGE_FOLLOW_UPS):
        return FollowUp.objects.none()
    visible = _within(places_of(user), team="referral__team", bcu="referral__case__bcu")
    follow_ups = FollowUp.objects.filter(visible)
    return follow_ups if user.can(Permission.REVIEW_CASES) else follow_ups.exclude(kind__in=FOR_THE_HCOP)


def trials_visible_to(user: User) -> QuerySet[Trial]:
    """Trials of the account's BCUs, without their seed."""
    if not user.can(Permission.VIEW_TRIALS):
        return Trial.objects.none()
    return Trial.objects.filter(bcu__in=places_of(user).bcus).defer("seed_encrypted")


def trials_to_export(user: User) -> QuerySet[Trial]:
    """Trials whose chain the account may give outside: of its BCUs; commands work for all."""
    if not user.can(Permission.EXPORT_TRIALS):
        return Trial.objects.none()
    trials = Trial.objects.defer("seed_encrypted")
    return trials if user.role == Role.SYSTEM else trials.filter(bcu__in=places_of(user).bcus)


def allocations_visible_to(user: User) -> QuerySet[Allocation]:
    """Allocations of the account's BCUs, arms among them: for those who see the cases."""
    if not user.can(Permission.RECORD_DEVIATIONS):
        return Allocation.objects.none()
    return Allocation.objects.filter(case__bcu__in=places_of(user).bcus)


def trials_to_check(user: User) -> QuerySet[Trial]:
    """Trials of the account's BCUs that have begun, for those who look their controls up; without seed."""
    if not user.can(Permission.RECORD_DEVIATIONS):
        return Trial.objects.none()
    begun = TrialStatus.since(TrialStatus.RECRUITING)
    return Trial.objects.filter(bcu__in=places_of(user).bcus, status__in=begun).defer("seed_encrypted")


def controls_followed(trials: Iterable[Trial], user: User, at: datetime) -> QuerySet[Allocation]:
    """Control units of the trials whose follow-up is over."""
    over = Q(pk__in=[])
    for trial in trials:
        over |= Q(trial=trial, allocated_at__lte=at - timedelta(days=trial.conduct.follow_up_days))
    return allocations_visible_to(user).filter(over, arm=Arm.CONTROL, position__isnull=False)


def controls_to_check(trial: Trial, user: User, at: datetime) -> QuerySet[Allocation]:
    """Control units of the trial whose follow-up is over, not looked up on the crime record yet.

    The first allocated first; none once outcomes are locked.
    """
    followed = controls_followed([trial], user, at)
    waiting = followed.filter(trial__status__in=UNLOCKED, control_check__isnull=True)
    return waiting.order_by("number", "pk")


def standing_deviations(allocations: Iterable[Allocation]) -> QuerySet[Deviation]:
    """What is recorded of these and not withdrawn, in order."""
    return Deviation.objects.filter(
        allocation__in=allocations, withdraws__isnull=True, withdrawn_by__isnull=True
    ).order_by("pk")


def contacts_of_controls(units: Collection[int], follow_up: timedelta) -> list[tuple[int, Deviation]]:
    """Contacts recorded of these control units, by key, within their follow-up, each with its unit's key.

    By the unit's own report or by one that is linked to it.
    """
    reports = Allocation.objects.filter(Q(pk__in=units) | Q(follows__in=units))
    found = []
    recorded = standing_deviations(reports).filter(kind__in=OF_CONTROL)
    for contact in recorded.select_related("allocation__follows"):
        unit = contact.allocation.follows or contact.allocation
        if contact.happened_on <= timezone.localdate(unit.allocated_at + follow_up):
            found.append((unit.pk, contact))
    return found


def controls_with_src(units: Collection[int], follow_up: timedelta) -> set[int]:
    """Of these control units, by key, those whose victim had SRC in follow-up, outside any trial."""
    same = Q(case__incident_hash=OuterRef("case__incident_hash")) & ~Q(case__incident_hash="")
    same |= Q(case__victim_hash=OuterRef("case__victim_hash")) & ~Q(case__victim_hash="")
    referrals = Referral.objects.filter(
        same,
        allocation__isnull=True,
        contacted_at__gte=OuterRef("allocated_at"),
        contacted_at__lte=OuterRef("allocated_at") + follow_up,
    )
    return set(Allocation.objects.filter(Exists(referrals), pk__in=units).values_list("pk", flat=True))


def teams_to_pick_from(case: Case) -> QuerySet[Team]:
    """Every team of the case's BCU, for a case whose ward cannot decide."""
    return Team.objects.filter(borough__bcu=case.bcu_id).select_related("borough")


def flags_to_confirm(user: User) -> QuerySet[Referral]:
    """Referrals whose flag on the crime management system is not confirmed yet, the oldest first."""
    flags = _flags(user).filter(flag_confirmed_at__isnull=True, ruled_out_since__isnull=True)
    return flags.order_by("made_at", "pk")


def flags_to_remove(user: User) -> QuerySet[Referral]:
    """Referrals whose flag was set and has to go, the first ruled out first."""
    flags = _flags(user).filter(
        flag_confirmed_at__isnull=False, ruled_out_since__isnull=False, flag_removed_at__isnull=True
    )
    return flags.order_by("ruled_out_since", "pk")


def _flags(user: User) -> QuerySet[Referral]:
    if not user.can(Permission.CONFIRM_FLAGS):
        return Referral.objects.none()
    return referrals_visible_to(user).select_related("case", "ward", "team")


def crime_record_standings(case_ids: Collection[int]) -> dict[int, str]:
    """How the crime record of each case stood when it last changed after the decision, if it ever did."""
    latest = CrimeRecordEvent.objects.filter(case__in=case_ids).order_by("case", "-pk").distinct("case")
    return dict(latest.values_list("case", "kind"))


def report_of(case: Case) -> Report:
    """The case as the rules see it."""
    return Report(
        is_crime=case.is_crime,
        crime_status=case.crime_status,
        hate_flag=case.hate_flag,
        individual_victim=case.victim_type == VictimType.INDIVIDUAL,
        under_18=case.victim_under_18,
        ward_known=case.ward_id is not None,
    )


def of_linked_cases(case: Case) -> Q:
    """Of rows that belong to a case: those whose case shares this one's incident or victim."""
    linked = Q(pk__in=[])
    if case.incident_hash:
        linked |= Q(case__incident_hash=case.incident_hash)
    if case.victim_hash:
        linked |= Q(case__victim_hash=case.victim_hash)
    return linked


def attempts_that_stand(referral: Referral) -> QuerySet[ContactAttempt]:
    """The referral's attempts, but for those withdrawn and the rows that withdraw them."""
    return ContactAttempt.objects.filter(
        referral=referral, withdraws__isnull=True, withdrawn_by__isnull=True
    ).order_by("made_at", "pk")


def unread_notices() -> QuerySet[ReferralNotice]:
    """Changes nobody has said they have read, the first noticed first."""
    return ReferralNotice.objects.filter(read_at__isnull=True).order_by("noticed_at", "pk")


def may_read(referral: Referral, user: User) -> bool:
    """Whether it is for this account to say that the changes of a referral it may contact were read."""
    supervises = user.can(Permission.CHASE_REFERRALS)
    return user.can(Permission.CONTACT_VICTIMS) and (supervises or referral.taken_by in (None, user))


def open_referrals(user: User) -> QuerySet[Referral]:
    """Referrals to contact, the first due first, each with the texts and changes that its card tells of."""
    told = (TextKind.SAFETY_NOTE, TextKind.REVIEW_SAFETY, TextKind.COMMUNICATION_NEED)
    texts = PersonalText.objects.filter(kind__in=told).order_by("pk")
    return (
        referrals_visible_to(user)
        .filter(status=ReferralStatus.OPEN)
        .select_related("case", "ward", "taken_by")
        .prefetch_related(Prefetch("case__texts", texts), Prefetch("notices", unread_notices()))
        .order_by("due_at", "pk")
    )


def referrals_ended_since(user: User, since: datetime) -> QuerySet[Referral]:
    """Completed and closed referrals, the latest first."""
    return (
        referrals_visible_to(user)
        .filter(closed_at__gte=since)
        .select_related("ward", "closed_by")
        .order_by("-closed_at", "-pk")
    )


def referrals_to_open(user: User) -> QuerySet[Referral]:
    """Referrals with all that their page shows, each one's attempts oldest first and its unread changes."""
    attempts = (
        ContactAttempt.objects.filter(withdraws__isnull=True)
        .select_related("made_by", "note", "withdrawn_by__made_by")
        .prefetch_related(Prefetch("follow_ups", FollowUp.objects.select_related("acknowledged_by")))
        .order_by("made_at", "pk")
    )
    texts = PersonalText.objects.exclude(kind=TextKind.ATTEMPT_NOTE).exclude(body="")
    return (
        referrals_visible_to(user)
        .select_related("case", "ward", "team", "taken_by", "closed_by")
        .prefetch_related(
            Prefetch("attempts", attempts),
            Prefetch("case__texts", texts),
            Prefetch("notices", unread_notices()),
        )
    )


def referrals_linked_to(referral: Referral, user: User) -> QuerySet[Referral]:
    """Other referrals of the same incident or victim, as far as the account may see them."""
    return (
        referrals_visible_to(user)
        .filter(of_linked_cases(referral.case))
        .exclude(pk=referral.pk)
        .select_related("ward", "taken_by")
        .order_by("made_at", "pk")
    )


def follow_ups_open(user: User) -> QuerySet[FollowUp]:
    """Follow-ups nobody has acknowledged yet, the oldest first."""
    return _follow_ups(user).filter(acknowledged_at__isnull=True).order_by("raised_at", "pk")


def follow_ups_acknowledged_since(user: User, since: datetime) -> QuerySet[FollowUp]:
    """Follow-ups that somebody deals with, the latest first."""
    return _follow_ups(user).filter(acknowledged_at__gte=since).order_by("-acknowledged_at", "-pk")


def _follow_ups(user: User) -> QuerySet[FollowUp]:
    """Each with what may have settled it meanwhile, and why the case was referred outside any trial."""
    withdrawals = ContactAttempt.objects.filter(withdraws=OuterRef("attempt"))
    in_again = Q(
        kind__in=(FollowUpKind.TRANSFERRED, FollowUpKind.RULED_OUT), referral__ruled_out_since__isnull=True
    )
    return (
        follow_ups_visible_to(user)
        .select_related("referral__ward", "raised_by", "acknowledged_by")
        .annotate(
            withdrawn=Exists(withdrawals),
            in_again=ExpressionWrapper(in_again, BooleanField()),
            reason=F("referral__case__decision__reason"),
        )
    )


def latest_cases(user: User) -> QuerySet[Case]:
    """Cases with all that tells what became of each, the latest report first."""
    return (
        cases_visible_to(user)
        .select_related("ward__borough", "decision", "referral")
        .order_by("-reported_at", "-pk")
    )
