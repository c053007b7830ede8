"""The protocol of a trial, its approvals and its registrars."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from django import forms

from referrals.models import Approval, ApprovalKind, Bcu, Trial, Ward
from referrals.rules.trial.allocation import (
    MOST_UNITS,
    Design,
    Factor,
    ImpossibleDesign,
    Scheme,
)
from referrals.rules.trial.analysis import (
    Estimate,
    ImpossiblePlan,
    OpenCases,
    Outcome,
    Plan,
    PlannedLook,
    Test,
)
from referrals.rules.trial.assumed import ImpossibleAssumption
from referrals.rules.trial.protocol import (
    YES_OR_NO,
    Conduct,
    Expected,
    parts_of,
    strata_of,
    stratified_together,
)
from referrals.scope import bcus_of
from referrals.trial.readers.power import PowerQuestion
from referrals.trial.readers.words import (
    ESTIMATES,
    OPEN_CASES_SEALED,
    OUTCOMES,
    SCHEMES,
    STRATA,
    TESTS,
)
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.days import check_day
from src_app.fields import LineField, PublicLineField, PublicNoteField

_STRATIFIED = {Scheme.STRATIFIED_BLOCKS, Scheme.MINIMISATION}


def _day(label: str, required: str) -> forms.DateField:
    return forms.DateField(
        label=label,
        validators=[check_day],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": required, "invalid": required},
    )


def _whole(label: str, *, least: int, most: int, help_text: str = "", **more: Any) -> forms.IntegerField:
    said = f"{label}: give a whole number from {least:,} to {most:,}."
    return forms.IntegerField(
        label=label,
        min_value=least,
        max_value=most,
        help_text=help_text,
        error_messages={
            **dict.fromkeys(("required", "invalid"), said),
            # Django puts the limit into these two, so that a label's % has to be doubled.
            **dict.fromkeys(("min_value", "max_value"), said.replace("%", "%%")),
        },
        **more,
    )


def _percent(label: str, help_text: str = "") -> forms.IntegerField:
    return _whole(label, least=0, most=100, help_text=help_text)


class ProtocolForm(forms.Form):
    """The whole protocol of a trial. ``bcu`` gives the wards to choose from.

    When it is valid, ``design``, ``stratified_by``, ``conduct`` and ``power_question`` hold what it says.
    """

    name = PublicLineField(
        label="Name", max_length=200, error_messages={"required": "Give the trial a name."}
    )
    question = PublicNoteField(
        label="Question",
        max_length=500,
        help_text="What the trial is to find out, in one sentence.",
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Say what the trial is to find out."},
    )
    eligibility = PublicNoteField(
        label="Who is eligible",
        max_length=1_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": "Say which cases are eligible."},
    )
    wards = forms.MultipleChoiceField(error_messages={"required": "Choose at least one ward."})
    recruits_from = _day("First day of recruitment", "Give the first day of recruitment.")
    recruits_until = _day("Last day of recruitment", "Give the last day of recruitment.")
    follow_up_days = _whole("Days each case is followed", least=1, most=730)

    scheme = forms.TypedChoiceField(
        label="Scheme",
        choices=SCHEMES.items(),
        coerce=Scheme,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a scheme."},
    )
    target = _whole("Target", least=2, most=MOST_UNITS, help_text="Victims allocated, both arms together.")
    src_share = _whole("Ratio: SRC", least=1, most=9)
    control_share = _whole("Ratio: control", least=1, most=9)
    block_sizes = forms.CharField(
        label="Block sizes", required=False, max_length=60, help_text="For blocks alone. For example: 4, 6, 8"
    )
    strata = forms.MultipleChoiceField(
        label="Strata, or factors to balance",
        required=False,
        choices=STRATA.items(),
        widget=forms.CheckboxSelectMultiple,
        help_text="Stratified blocks draw each combination apart: eight at most are usual. Race needs a data "
        "protection assessment that allows it.",
    )
    weight_borough = _whole("Weight of borough", least=1, most=9)
    weight_repeat_victim = _whole("Weight of repeat victim", least=1, most=9)
    weight_race = _whole("Weight of race", least=1, most=9)
    coin = _whole(
        "Coin of minimisation",
        least=51,
        most=99,
        help_text="Of 100, how often the arm that balances better is given.",
    )

    primary = forms.TypedChoiceField(label="Primary outcome", choices=OUTCOMES.items(), coerce=Outcome)
    estimate = forms.TypedChoiceField(label="Estimate", choices=ESTIMATES.items(), coerce=Estimate)
    test = forms.TypedChoiceField(label="Test", choices=TESTS.items(), coerce=Test)
    sides = forms.TypedChoiceField(
        label="Sides of the test", choices=[(2, "Two: a rise or a fall"), (1, "One: a fall")], coerce=int
    )
    open_cases = forms.TypedChoiceField(
        label="Cases still open at the lock", choices=OPEN_CASES_SEALED, coerce=OpenCases
    )
    looks = forms.CharField(
        label="Planned looks by arm before the lock",
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Usually none. One a line: the day and who reads it, for example 2027-03-01 leader",
    )

    control_percent = _percent("Primary outcome without contact, %")
    src_percent = _percent("Primary outcome with contact, %", "What the trial hopes to find.")
    charge_percent = _percent("Charged without contact, %", "A rare outcome: what could be found of it?")
    complied_percent = _percent("SRC cases that get their contact, %")
    contaminated_percent = _percent("Control cases contacted all the same, %")
    lost_percent = _percent("Cases whose outcome will not be known, %")

    def __init__(self, *args: Any, bcu: Bcu, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.bcu = bcu
        self._wards: dict[str, list[Ward]] = {}
        wards = Ward.objects.filter(borough__bcu=bcu).select_related("borough")
        for ward in wards.order_by("borough__name", "name"):
            self._wards.setdefault(ward.borough.name, []).append(ward)
        self._boroughs = {w.code: w.borough.code for each in self._wards.values() for w in each}
        field = self.fields["wards"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(code, code) for code in self._boroughs]

    def clean_block_sizes(self) -> tuple[int, ...]:
        parts = self.cleaned_data["block_sizes"].replace(",", " ").split()
        try:
            return tuple(int(part) for part in parts)
        except ValueError:
            raise forms.ValidationError("Give the block sizes as whole numbers: 4, 6, 8.") from None

    def clean_looks(self) -> tuple[PlannedLook, ...]:
        looks = []
        for line in self.cleaned_data["looks"].splitlines():
            day, _, reader = line.strip().partition(" ")
            if not day:
                continue
            try:
                looks.append(PlannedLook(date.fromisoformat(day), reader.strip()))
            except ValueError:
                raise forms.ValidationError(
                    "Give each look as a day and a user name: 2027-03-01 leader"
                ) from None
            check_day(looks[-1].on)
            if not looks[-1].reader:
                raise forms.ValidationError("Name who reads each look: 2027-03-01 leader")
        readers = {look.reader for look in looks}
        for user in User.objects.filter(username__in=readers, is_active=True):
            if user.can(Permission.VIEW_TRIALS) and bcus_of(user).filter(pk=self.bcu.pk).exists():
                readers.discard(user.username)
        if readers:
            named = ", ".join(sorted(readers))
            raise forms.ValidationError(
                f"{named}: no account of {self.bcu} that may read trials has this user name."
            )
        return tuple(looks)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors:
            for field, make in (
                ("target", self._design),
                ("src_percent", self._expected),
                ("recruits_until", self._conduct),
            ):
                try:
                    make(cleaned)
                except (ImpossibleDesign, ImpossiblePlan) as impossible:
                    self.add_error(field, str(impossible))
                    break
        if not self.errors:
            try:
                self.power_question = PowerQuestion(self.design, self.expected, self.conduct.plan.sides)
            except ImpossibleAssumption as impossible:
                self.add_error("src_percent", str(impossible))
        return cleaned

    def _design(self, cleaned: dict[str, Any]) -> None:
        scheme, chosen = cleaned["scheme"], cleaned["strata"]
        levels = {
            "borough": tuple(sorted({self._boroughs[code] for code in cleaned["wards"]})),
            "repeat_victim": YES_OR_NO,
            "race": YES_OR_NO,
        }
        if scheme is Scheme.STRATIFIED_BLOCKS and not chosen:
            raise ImpossibleDesign("Stratified blocks take one stratum or more: tick it under strata.")
        if scheme not in _STRATIFIED and chosen:
            raise ImpossibleDesign("This scheme has no strata: take the ticks off, or choose another scheme.")
        is_stratified = scheme is Scheme.STRATIFIED_BLOCKS
        self.stratified_by = stratified_together(chosen) if is_stratified else ""
        self.design = Design(
            scheme,
            target=cleaned["target"],
            ratio=(cleaned["src_share"], cleaned["control_share"]),
            block_sizes=cleaned["block_sizes"],
            strata=strata_of(self.stratified_by, levels),
            factors=tuple(Factor(name, levels[name], cleaned[f"weight_{name}"]) for name in chosen)
            if scheme is Scheme.MINIMISATION
            else (),
            coin=cleaned["coin"],
        )

    def _expected(self, cleaned: dict[str, Any]) -> None:
        names = Expected.__dataclass_fields__
        self.expected = Expected(**{name: cleaned[f"{name}_percent"] for name in names})

    def _conduct(self, cleaned: dict[str, Any]) -> None:
        self.conduct = Conduct(
            question=cleaned["question"],
            eligibility=cleaned["eligibility"],
            wards=tuple(cleaned["wards"]),
            recruits_from=cleaned["recruits_from"],
            recruits_until=cleaned["recruits_until"],
            follow_up_days=cleaned["follow_up_days"],
            expected=self.expected,
            plan=Plan(
                **{
                    name: cleaned[name]
                    for name in ("primary", "estimate", "test", "sides", "open_cases", "looks")
                }
            ),
        )

    def boroughs(self) -> list[tuple[str, list[tuple[Ward, bool]], int]]:
        """Each borough's wards, whether each is ticked, and how many are."""
        ticked = set(self["wards"].value() or ())
        return [
            (name, [(ward, ward.code in ticked) for ward in wards], sum(w.code in ticked for w in wards))
            for name, wards in self._wards.items()
        ]


def initial_of(trial: Trial) -> dict[str, Any]:
    """What the form of a draft begins with."""
    design, conduct = trial.design, trial.conduct
    plan = conduct.plan
    return {
        "name": trial.name,
        "question": conduct.question,
        "eligibility": conduct.eligibility,
        "wards": list(conduct.wards),
        "recruits_from": conduct.recruits_from,
        "recruits_until": conduct.recruits_until,
        "follow_up_days": conduct.follow_up_days,
        "scheme": design.scheme.value,
        "target": design.target,
        "src_share": design.ratio[0],
        "control_share": design.ratio[1],
        "block_sizes": ", ".join(str(size) for size in design.block_sizes),
        "strata": [*parts_of(trial.stratified_by), *(factor.name for factor in design.factors)],
        "coin": design.coin,
        **{f"weight_{name}": 1 for name in STRATA},
        **{f"weight_{factor.name}": factor.weight for factor in design.factors},
        "primary": plan.primary.value,
        "estimate": plan.estimate.value,
        "test": plan.test.value,
        "sides": plan.sides,
        "open_cases": plan.open_cases.value,
        "looks": "\n".join(f"{look.on.isoformat()} {look.reader}" for look in plan.looks),
        **dict(_expected(conduct.expected)),
    }


def _expected(expected: Expected) -> Iterator[tuple[str, int]]:
    for name in Expected.__dataclass_fields__:
        yield f"{name}_percent", getattr(expected, name)


def initial_of_new(bcu: Bcu, today: date) -> dict[str, Any]:
    """What a new trial begins with: every ward, stratified blocks by borough, attrition."""
    wards = Ward.objects.filter(borough__bcu=bcu).values_list("code", flat=True)
    return {
        "wards": list(wards),
        "recruits_from": today,
        "follow_up_days": 90,
        "scheme": Scheme.STRATIFIED_BLOCKS.value,
        "src_share": 1,
        "control_share": 1,
        "block_sizes": "4, 6, 8",
        "strata": ["borough"],
        "coin": 80,
        **{f"weight_{name}": 1 for name in STRATA},
        "sides": 2,
        # 6,839 of 22,421 investigations ended so (Metropolitan Police, April 2021 to March 2022).
        "control_percent": 31,
        "complied_percent": 100,
        "contaminated_percent": 0,
        "lost_percent": 0,
    }


class ApprovalForm(forms.Form):
    """An approval as it was given."""

    reference = LineField(
        label="Reference", max_length=60, error_messages={"required": "Give the reference of the approval."}
    )
    given_by = LineField(
        label="Who gave it",
        max_length=100,
        help_text="The office or committee.",
        error_messages={"required": "Say who gave the approval."},
    )
    given_on = _day("When it was given", "Give the day on which it was given.")
    allows_strand = forms.BooleanField(
        label="It allows “race: yes or no” to be used to balance the arms", required=False
    )

    def __init__(self, *args: Any, kind: ApprovalKind, approval: Approval | None, **kwargs: Any) -> None:
        names = ("reference", "given_by", "given_on", "allows_strand")
        kwargs["initial"] = {name: getattr(approval, name) for name in names} if approval else {}
        super().__init__(*args, **kwargs)
        if kind != ApprovalKind.DATA_PROTECTION:
            del self.fields["allows_strand"]


class RegistrarForm(forms.Form):
    """Somebody outside the force, and where what the trial sends is kept."""

    name = LineField(label="Who", max_length=100, error_messages={"required": "Say who the registrar is."})
    email = forms.EmailField(
        label="E-mail address",
        max_length=254,
        error_messages={
            "required": "Give the registrar's e-mail address.",
            "invalid": "Give an e-mail address, such as registry@example.org.",
        },
    )
