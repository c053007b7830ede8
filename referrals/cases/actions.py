"""Keeping a text about a person in the one table where it can be erased."""

from datetime import datetime

from referrals.models import Case, PersonalText, TextKind


def keep_text(*, case: Case, kind: TextKind, body: str, at: datetime) -> bool:
    """Sets the case's text of that kind (an empty body empties it); says whether anything changed."""
    body = body.strip()
    kept = PersonalText.objects.filter(case=case, kind=kind).first()
    if kept is None:
        if body:
            PersonalText.objects.create(case=case, kind=kind, body=body, changed_at=at)
        return bool(body)
    if kept.body == body:
        return False
    kept.body, kept.changed_at, kept.erased_at = body, at, None
    kept.save(update_fields=["body", "changed_at", "erased_at"])
    return True
