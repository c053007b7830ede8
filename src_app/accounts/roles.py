"""Roles as lists of permissions. A page or action asks for a permission, never for a role."""

from enum import StrEnum

from src_app.choices import NamedChoices


class Role(NamedChoices):
    """Who someone is to this system; one for each account."""

    HCOP = "hcop", "Hate crime officer (HCOP)"
    OFFICER = "officer", "Neighbourhood officer or PCSO"
    SUPERVISOR = "supervisor", "Neighbourhood supervisor"
    TRIAL_LEAD = "trial_lead", "Trial lead"
    LEADER = "leader", "Senior leader"
    AUDITOR = "auditor", "Auditor"
    ADMINISTRATOR = "administrator", "System administrator"
    SYSTEM = "system", "This system"


class Permission(StrEnum):
    """What an account may do. Which rows it may do it to is a question for ``visible_to``."""

    IMPORT_CASES = "import cases"
    REVIEW_CASES = "review cases"
    VIEW_CASES = "view cases"
    DOWNLOAD_LISTS = "download lists"
    CONFIRM_FLAGS = "confirm flags"
    VIEW_REFERRALS = "view referrals"
    CONTACT_VICTIMS = "contact victims"
    CHASE_REFERRALS = "chase referrals"
    ACKNOWLEDGE_FOLLOW_UPS = "acknowledge follow-ups"
    VIEW_COMPLIANCE = "view compliance"
    VIEW_OFFICER_FIGURES = "view figures of officers"
    VIEW_OUTCOMES = "view outcomes"
    IMPORT_OUTCOMES = "import outcomes"
    COMPUTE_RATES = "compute rates"
    MANAGE_TRIALS = "manage trials"
    VIEW_TRIALS = "view trials"
    SEAL_TRIALS = "seal trials"
    RUN_TRIALS = "run trials"
    RECORD_DEVIATIONS = "record deviations"
    EXPORT_TRIALS = "export trials"
    VIEW_AUDIT = "view audit"
    MANAGE_PLACES = "manage places"
    MANAGE_ACCOUNTS = "manage accounts"
    CONFIRM_ACCESS = "confirm access"
    RECORD_BRIEFINGS = "record briefings"
    SEND_REMINDERS = "send reminders"
    CHOOSE_DIGESTS = "choose digests"


PERMISSIONS: dict[str, frozenset[Permission]] = {
    Role.HCOP: frozenset(
        {
            Permission.IMPORT_CASES,
            Permission.REVIEW_CASES,
            Permission.VIEW_CASES,
            Permission.DOWNLOAD_LISTS,
            Permission.CONFIRM_FLAGS,
            Permission.VIEW_REFERRALS,
            Permission.CHASE_REFERRALS,
            Permission.ACKNOWLEDGE_FOLLOW_UPS,
            Permission.VIEW_COMPLIANCE,
            Permission.VIEW_OUTCOMES,
            Permission.IMPORT_OUTCOMES,
            Permission.RECORD_DEVIATIONS,
            Permission.RECORD_BRIEFINGS,
            Permission.CHOOSE_DIGESTS,
        }
    ),
    Role.OFFICER: frozenset(
        {Permission.VIEW_REFERRALS, Permission.CONTACT_VICTIMS, Permission.CHOOSE_DIGESTS}
    ),
    Role.SUPERVISOR: frozenset(
        {
            Permission.VIEW_REFERRALS,
            Permission.CONTACT_VICTIMS,
            Permission.DOWNLOAD_LISTS,
            Permission.CHASE_REFERRALS,
            Permission.ACKNOWLEDGE_FOLLOW_UPS,
            Permission.VIEW_COMPLIANCE,
            Permission.VIEW_OFFICER_FIGURES,
            Permission.CONFIRM_ACCESS,
            Permission.RECORD_BRIEFINGS,
            Permission.CHOOSE_DIGESTS,
        }
    ),
    Role.TRIAL_LEAD: frozenset(
        {
            Permission.MANAGE_TRIALS,
            Permission.VIEW_TRIALS,
            Permission.SEAL_TRIALS,
            Permission.EXPORT_TRIALS,
            Permission.DOWNLOAD_LISTS,
            Permission.VIEW_COMPLIANCE,
            Permission.VIEW_OUTCOMES,
        }
    ),
    Role.LEADER: frozenset(
        {
            Permission.CHOOSE_DIGESTS,
            Permission.VIEW_TRIALS,
            Permission.SEAL_TRIALS,
            Permission.DOWNLOAD_LISTS,
            Permission.VIEW_COMPLIANCE,
            Permission.VIEW_OUTCOMES,
        }
    ),
    Role.AUDITOR: frozenset({Permission.VIEW_AUDIT, Permission.DOWNLOAD_LISTS}),
    Role.ADMINISTRATOR: frozenset(
        {
            Permission.MANAGE_PLACES,
            Permission.MANAGE_ACCOUNTS,
            Permission.RECORD_BRIEFINGS,
            Permission.DOWNLOAD_LISTS,
        }
    ),
    Role.SYSTEM: frozenset(
        {
            Permission.IMPORT_CASES,
            Permission.CONFIRM_FLAGS,
            Permission.IMPORT_OUTCOMES,
            Permission.COMPUTE_RATES,
            Permission.SEND_REMINDERS,
            Permission.MANAGE_PLACES,
            Permission.MANAGE_ACCOUNTS,
            Permission.EXPORT_TRIALS,
            Permission.RUN_TRIALS,
        }
    ),
}
