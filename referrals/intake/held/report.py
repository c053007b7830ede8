"""What is told of an extract's rows on its page, kept encrypted while it is held."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

from referrals.intake.reading.columns import Column
from referrals.intake.reading.rows import Rejection, Warned
from referrals.intake.saving.fates import ChangedCase, Fates, NewCase
from referrals.models import CaseImport
from src_app.keys import WrongKey, decrypt_extract, encrypt_extract
from src_app.refused import Refused


def keep_report(fates: Fates) -> bytes:
    """The fates as they are kept."""
    return encrypt_extract(json.dumps(asdict(fates), default=datetime.isoformat).encode())


def report_of(held: CaseImport) -> Fates:
    """The fates as they were kept; raises :class:`Refused` where their key is lost."""
    try:
        kept: dict[str, Any] = json.loads(decrypt_extract(bytes(held.report_encrypted or b"")))
    except WrongKey:
        raise Refused("This extract can no longer be opened: upload it again.") from None
    return Fates(
        **{
            **kept,
            "new_cases": [
                NewCase(**{**new, "reported_at": datetime.fromisoformat(new["reported_at"])})
                for new in kept["new_cases"]
            ],
            "changed_cases": [
                ChangedCase(**{**changed, "columns": tuple(map(Column, changed["columns"]))})
                for changed in kept["changed_cases"]
            ],
            "rejections": [Rejection(**rejection) for rejection in kept["rejections"]],
            "warnings": [Warned(**warned) for warned in kept["warnings"]],
        }
    )
