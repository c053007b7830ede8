"""Where: BCU, boroughs, wards, the team of each ward; who belongs there when, and who is on leave."""

from datetime import date

import pghistory
from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models

from src_app.choices import NamedChoices
from src_app.database import one_line, read_sql, refuse, together


class Bcu(models.Model):
    """A Basic Command Unit: the part of the force that one HCOP's morning covers."""

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=100)

    class Meta:
        constraints = one_line("bcu", "code", "name")

    def __str__(self) -> str:
        return self.name


class Borough(models.Model):
    """A borough, by its Office for National Statistics (ONS) code; the stratum of the trial."""

    code = models.CharField(max_length=9, unique=True)
    name = models.CharField(max_length=100)
    bcu = models.ForeignKey(Bcu, on_delete=models.PROTECT, related_name="boroughs")

    class Meta:
        constraints = one_line("borough", "code", "name")

    def __str__(self) -> str:
        return self.name


@pghistory.track()
class Team(models.Model):
    """A neighbourhood team, and the mailbox its referrals are sent to.

    ``merged_into``: the open team that has the work of this one since it was closed.
    """

    name = models.CharField(max_length=100)
    borough = models.ForeignKey(Borough, on_delete=models.PROTECT, related_name="teams")
    mailbox = models.EmailField()
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    merged_into = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="merged")

    class Meta:
        constraints = [
            *one_line("team", "name"),
            models.UniqueConstraint(
                fields=["borough", "name"],
                name="team_name_in_borough",
                condition=models.Q(closed_at__isnull=True),
            ),
            models.CheckConstraint(condition=together("closed_at", "closed_by"), name="team_closed_at_by"),
            models.CheckConstraint(
                condition=models.Q(merged_into__isnull=True)
                | (models.Q(closed_at__isnull=False) & ~models.Q(merged_into=models.F("id"))),
                name="team_merged_is_closed",
            ),
        ]
        indexes = [
            models.Index(fields=["name", "id"], name="team_by_name"),
            models.Index(fields=["mailbox", "id"], name="team_by_mailbox"),
        ]
        triggers = [
            refuse(
                name="closed_without_work",
                unless=read_sql("referrals/models/sql/closed_without_work.sql"),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def working_team(self) -> "Team":
        """The team that has the work of this one now: the one it was merged into, or itself."""
        return self.merged_into or self


@pghistory.track()
class Ward(models.Model):
    """An electoral ward, by its ONS code, and the team that covers it."""

    code = models.CharField(max_length=9, unique=True)
    name = models.CharField(max_length=100)
    borough = models.ForeignKey(Borough, on_delete=models.PROTECT, related_name="wards")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="wards")

    class Meta:
        constraints = one_line("ward", "code", "name")
        indexes = [models.Index(fields=["name", "id"], name="ward_by_name")]
        triggers = [
            refuse(
                name="covered_by_an_open_team",
                unless=read_sql("referrals/models/sql/covered_by_an_open_team.sql"),
            )
        ]

    def __str__(self) -> str:
        return self.name


@pghistory.track()
class PlaceMove(models.Model):
    """Wards, or a whole team, that go to another team from a day on; it waits until it is done or dropped.

    ``is_merge``: the whole team, with all it has by then. Otherwise these ``wards``. ``refused_because``: why
    it could not be carried out when that was last tried; empty for one that was not refused.
    """

    from_team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="moves_away")
    to_team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="moves_here")
    wards = models.ManyToManyField(Ward, related_name="moves")
    is_merge = models.BooleanField()
    starts_on = models.DateField()
    set_at = models.DateTimeField()
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    done_at = models.DateTimeField(null=True)
    refused_because = models.CharField(max_length=300, blank=True, default="", db_default="")
    dropped_at = models.DateTimeField(null=True)
    dropped_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            *one_line("placemove", "refused_because"),
            models.CheckConstraint(
                condition=~models.Q(from_team=models.F("to_team")), name="place_move_to_another_team"
            ),
            models.CheckConstraint(
                condition=together("dropped_at", "dropped_by"), name="place_move_dropped_at_by"
            ),
            models.CheckConstraint(
                condition=models.Q(done_at__isnull=True) | models.Q(dropped_at__isnull=True),
                name="place_move_done_or_dropped",
            ),
            models.UniqueConstraint(
                fields=["from_team"],
                name="place_move_one_merge_waits",
                condition=models.Q(is_merge=True, done_at__isnull=True, dropped_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        if self.is_merge:
            return f"{self.from_team} is merged into {self.to_team}"
        wards = ", ".join(self.wards.order_by("name").values_list("name", flat=True))
        return f"{wards}: from {self.from_team} to {self.to_team}"

    @staticmethod
    def waits() -> models.Q:
        """Those that are still to be carried out."""
        return models.Q(done_at__isnull=True, dropped_at__isnull=True)


@pghistory.track(exclude=["code"])
class MailboxTest(models.Model):
    """A test mail to a team's mailbox; once somebody gives its code, the address counts as read.

    ``replaced``: another one was sent after it, or the team was closed, before anybody gave the code.
    """

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="mailbox_tests")
    address = models.EmailField()
    code = models.CharField(max_length=20, unique=True)
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    replaced = models.BooleanField(default=False)

    class Meta:
        constraints = [
            *one_line("mailboxtest", "code"),
            models.CheckConstraint(
                condition=together("confirmed_at", "confirmed_by"), name="mailbox_test_confirmed_at_by"
            ),
            models.CheckConstraint(
                condition=models.Q(replaced=False) | models.Q(confirmed_at__isnull=True),
                name="mailbox_test_confirmed_or_replaced",
            ),
            models.UniqueConstraint(
                fields=["team"],
                name="mailbox_test_one_waits",
                condition=models.Q(confirmed_at__isnull=True, replaced=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.team}: test mail to {self.address}"

    @staticmethod
    def waits() -> models.Q:
        """Those whose code nobody has given yet, and that still count."""
        return models.Q(confirmed_at__isnull=True, replaced=False)


class Mode(NamedChoices):
    """What happens to a suitable case of a ward."""

    SRC_FOR_ALL = "src_for_all", "SRC for all"
    TRIAL = "trial", "Trial"
    NOT_STARTED = "not_started", "Not started"


@pghistory.track()
class WardMode(models.Model):
    """A ward's mode from a day on; before its first, the ward gives SRC to all."""

    ward = models.ForeignKey(Ward, on_delete=models.PROTECT, related_name="modes")
    mode = models.CharField(max_length=20, choices=Mode.as_choices)
    trial = models.ForeignKey(
        "referrals.Trial", on_delete=models.PROTECT, null=True, related_name="ward_modes"
    )
    starts_on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["ward", "starts_on"], name="ward_mode_one_a_day"),
            models.CheckConstraint(
                condition=models.Q(mode=Mode.TRIAL, trial__isnull=False)
                | models.Q(mode__in=[Mode.SRC_FOR_ALL, Mode.NOT_STARTED], trial__isnull=True),
                name="ward_mode_trial_names_its_trial",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ward}: {self.get_mode_display()} from {self.starts_on}"


class Postcode(models.Model):
    """Which ward a postcode lies in: public reference data, no record of anybody's home."""

    pcds = models.CharField(max_length=8, primary_key=True)
    ward = models.ForeignKey(Ward, on_delete=models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return self.pcds


class _Membership(models.Model):
    """Somebody belongs somewhere from a day on, and until a day that is not included: perhaps for none."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    starts_on = models.DateField()
    ends_on = models.DateField(null=True)

    class Meta:
        abstract = True

    @staticmethod
    def current(on: date) -> models.Q:
        """Memberships that hold on that day."""
        return models.Q(starts_on__lte=on) & (models.Q(ends_on__isnull=True) | models.Q(ends_on__gt=on))


class DateRange(models.Func):
    """PostgreSQL's ``daterange``, its end not included."""

    function = "DATERANGE"
    output_field = DateRangeField()


def _once_at_a_time(name: str, place: str) -> list[models.BaseConstraint]:
    return [
        ExclusionConstraint(
            name=f"{name}_once_at_a_time",
            expressions=[
                ("user", RangeOperators.EQUAL),
                (place, RangeOperators.EQUAL),
                (DateRange("starts_on", "ends_on"), RangeOperators.OVERLAPS),
            ],
        ),
        models.CheckConstraint(
            condition=models.Q(ends_on__isnull=True) | models.Q(ends_on__gte=models.F("starts_on")),
            name=f"{name}_ends_not_before_it_starts",
        ),
    ]


@pghistory.track()
class TeamMembership(_Membership):
    """An officer or supervisor in a neighbourhood team."""

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="memberships")

    class Meta:
        constraints = _once_at_a_time("team_membership", "team")
        triggers = [
            refuse(name="in_an_open_team", unless=read_sql("referrals/models/sql/in_an_open_team.sql"))
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.team}"


@pghistory.track()
class Leave(models.Model):
    """Days on which somebody is not at work, from the first to the day before ``back_on``.

    One that was set by mistake ends on the day it starts.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    starts_on = models.DateField()
    back_on = models.DateField()
    set_at = models.DateTimeField()
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="leave_once_at_a_time",
                expressions=[
                    ("user", RangeOperators.EQUAL),
                    (DateRange("starts_on", "back_on"), RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(
                condition=models.Q(back_on__gte=models.F("starts_on")), name="leave_ends_not_before_it_starts"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} from {self.starts_on}, back on {self.back_on}"

    @staticmethod
    def current(on: date) -> models.Q:
        """Leave that holds on that day."""
        return models.Q(starts_on__lte=on, back_on__gt=on)


@pghistory.track()
class BcuMembership(_Membership):
    """An HCOP, trial lead or leader in a BCU."""

    bcu = models.ForeignKey(Bcu, on_delete=models.PROTECT, related_name="memberships")

    class Meta:
        constraints = _once_at_a_time("bcu_membership", "bcu")

    def __str__(self) -> str:
        return f"{self.user} in {self.bcu}"
