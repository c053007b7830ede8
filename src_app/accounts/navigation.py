"""The primary navigation: only what this account may open; the first entry is where it lands."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst

from src_app.accounts import kept_forms
from src_app.accounts.models import User
from src_app.accounts.roles import Permission


@dataclass(frozen=True)
class Entry:
    """A page of the navigation, who may open it, and the other pages that belong under it."""

    label: str
    url_name: str
    permission: Permission
    prefix: str
    # Whose daily work it is, where others may open it too: theirs it comes after.
    work_of: Permission | None = None

    @property
    def url(self) -> str:
        return reverse(self.url_name)


ENTRIES = (
    Entry("Overnight review", "overnight_review", Permission.REVIEW_CASES, "/overnight-review/"),
    Entry("Import", "import_cases", Permission.IMPORT_CASES, "/import/"),
    Entry(capfirst(settings.FLAG_NAME), "flag_list", Permission.CONFIRM_FLAGS, "/flags/"),
    Entry("Cases", "case_list", Permission.VIEW_CASES, "/cases/"),
    Entry("Data quality", "data_quality", Permission.VIEW_CASES, "/data-quality/"),
    Entry("Trial", "trial_list", Permission.VIEW_TRIALS, "/trials/", work_of=Permission.MANAGE_TRIALS),
    Entry("Compliance", "compliance", Permission.VIEW_COMPLIANCE, "/compliance/"),
    Entry("Outcomes", "outcomes", Permission.VIEW_OUTCOMES, "/outcomes/"),
    Entry("My referrals", "my_referrals", Permission.CONTACT_VICTIMS, "/referrals/"),
    Entry("Follow-ups", "follow_up_list", Permission.ACKNOWLEDGE_FOLLOW_UPS, "/follow-ups/"),
    Entry("Audit", "audit_list", Permission.VIEW_AUDIT, "/audit/"),
    Entry("Wards and teams", "place_list", Permission.MANAGE_PLACES, "/places/"),
    Entry("Deadlines", "deadline_list", Permission.MANAGE_PLACES, "/deadlines/"),
    Entry("People", "person_list", Permission.MANAGE_ACCOUNTS, "/people/"),
    Entry(
        "Briefings",
        "briefing_list",
        Permission.RECORD_BRIEFINGS,
        "/briefings/",
        work_of=Permission.MANAGE_ACCOUNTS,
    ),
    Entry("System health", "system_health", Permission.MANAGE_PLACES, "/system-health/"),
)


def entries_for(user: User) -> list[Entry]:
    """The pages this account may open, its own work first."""
    entries = [entry for entry in ENTRIES if user.can(entry.permission)]
    return sorted(entries, key=lambda entry: not user.can(entry.work_of or entry.permission))


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Context of every page: navigation, search, the limits of the session, and whose forms are kept."""
    user = request.user if hasattr(request, "user") else None
    if not isinstance(user, User):
        return {"navigation": []}
    entries = entries_for(user)
    # Where two prefixes match, the longer.
    under = [entry for entry in entries if request.path.startswith(entry.prefix)]
    current = max(under, key=lambda entry: len(entry.prefix), default=None)
    return {
        "navigation": [
            {
                "label": entry.label,
                "name": entry.url_name,
                "url": entry.url,
                "current": entry is current,
            }
            for entry in entries
        ],
        "search_url": reverse("search") if user.can(Permission.VIEW_REFERRALS) else "",
        "digests_url": reverse("choose_digests") if user.can(Permission.CHOOSE_DIGESTS) else "",
        "session_limits": {
            "idle_seconds": int(settings.IDLE_TIMEOUT.total_seconds()),
            "warning_seconds": int(settings.IDLE_WARNING.total_seconds()),
            "stay_url": reverse("session_stay"),
            "sign_in_url": redirect_to_login(kept_forms.page_of(request)).url,
        },
        "kept_forms": kept_forms.for_script(user),
    }
