"""Addresses of the account: those of allauth's pages that are needed without e-mail, and our own.

Named one by one: allauth's own list would open sign-up, e-mail addresses and lost passwords too, of which
there are none here.
"""

from allauth.account import views as allauth
from allauth.mfa.totp.views import deactivate_totp
from allauth.mfa.webauthn.views import reauthenticate_webauthn
from django.urls import include, path

from src_app.accounts import views

urlpatterns = [
    path("account/login/", allauth.login, name="account_login"),
    path("account/logout/", allauth.logout, name="account_logout"),
    path("account/inactive/", allauth.account_inactive, name="account_inactive"),
    path("account/reauthenticate/", views.reauthenticate, name="account_reauthenticate"),
    path("account/password/change/", allauth.password_change, name="account_change_password"),
    path("account/2fa/", include("allauth.mfa.base.urls")),
    path("account/2fa/totp/activate/", views.SetUpApp.as_view(), name="mfa_activate_totp"),
    path("account/2fa/totp/deactivate/", deactivate_totp, name="mfa_deactivate_totp"),
    path("account/2fa/recovery-codes/", include("allauth.mfa.recovery_codes.urls")),
    path("account/2fa/passkeys/add/", views.SetUpPasskey.as_view(), name="mfa_add_webauthn"),
    path("account/2fa/passkeys/<int:pk>/remove/", views.RemovePasskey.as_view(), name="mfa_remove_webauthn"),
    path("account/2fa/passkeys/show/", reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("session/stay/", views.stay, name="session_stay"),
    path("session/kept-form/drop/", views.drop_kept_form, name="drop_kept_form"),
    path("accessibility/", views.accessibility, name="accessibility"),
]
