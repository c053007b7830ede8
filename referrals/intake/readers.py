"""Extracts that the pages list."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import (
    Exists,
    OuterRef,
    Q,
    QuerySet,
)

from referrals.models import (
    CaseImport,
    ImportSource,
    ImportStatus,
)
from referrals.scope import imports_visible_to
from src_app.accounts.models import User

LOST_EXTRACT_NAMED_FOR = timedelta(days=3)


def latest_imports(user: User) -> QuerySet[CaseImport]:
    """Extracts without their content, the latest first."""
    return (
        imports_visible_to(user)
        .select_related("bcu", "uploaded_by")
        .defer("report_encrypted")
        .order_by("-uploaded_at", "-pk")
    )


def imports_to_see_to(user: User, at: datetime) -> QuerySet[CaseImport]:
    """Extracts that need attention, the latest first:

    - its columns are to be matched, or a preview with new, changed or rejected rows is to be confirmed;
    - it was uploaded and could not be read, or it came through the watched folder and some of its rows were
      rejected, or are to be looked at; and no file of that BCU has been saved from an upload since;
    - it came through the watched folder and none of it was saved.

    The first two are listed for a day, as long as the extract is kept; the third for three days, since nobody
    saw it arrive and a weekend may lie between.
    """
    by_hand = CaseImport.objects.filter(
        bcu=OuterRef("bcu"),
        source=ImportSource.PAGE,
        status=ImportStatus.SAVED,
        settled_at__gt=OuterRef("settled_at"),
    )
    unread = Q(source=ImportSource.PAGE, status=ImportStatus.REFUSED)
    # A report is kept of what nobody looked at before it was saved, where there is something to look at.
    to_look_at = Q(rejected__gt=0) | Q(report_encrypted__isnull=False)
    saved_unseen = Q(to_look_at, source=ImportSource.FOLDER, status=ImportStatus.SAVED)
    lost = Q(source=ImportSource.FOLDER, status__in=[ImportStatus.REFUSED, ImportStatus.EXPIRED])
    return (
        imports_visible_to(user)
        .filter(
            Q(
                Q(status=ImportStatus.MATCHING)
                | Q(status=ImportStatus.WAITING) & (Q(new__gt=0) | Q(changed__gt=0) | Q(rejected__gt=0))
                | ((unread | saved_unseen) & ~Exists(by_hand)),
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
