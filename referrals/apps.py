from django.apps import AppConfig


class ReferralsConfig(AppConfig):
    name = "referrals"

    def ready(self) -> None:
        from referrals.cases.readers import references_holding
        from src_app.audit import searched_references

        searched_references.FINDERS.append(references_holding)
