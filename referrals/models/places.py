"""Where: BCU, boroughs, wards, the team of each ward; who belongs there when, and who is on leave."""

from datetime import date

import pghistory
from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models

from src_app.choices import NamedChoices
from src_app.database import one_line


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
    """A neighbourhood team, and the mailbox its referrals are sent to."""

    name = models.CharField(max_length=100)
    borough = models.ForeignKey(Borough, on_delete=models.PROTECT, related_name="teams")
    mailbox = models.EmailField()

    class Meta:
        constraints = [
            *one_line("team", "name"),
            models.UniqueConstraint(fields=["borough", "name"], name="team_name_in_borough"),
        ]

    def __str__(self) -> str:
        return self.name


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

    def __str__(self) -> str:
        return self.name


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
