"""Every address of the application; ``tests/meta/access.csv`` says who may call each."""

from django.urls import include, path

from src_app.views import home

urlpatterns = [
    path("", home, name="home"),
    path("", include("src_app.accounts.urls")),
    path("audit/", include("src_app.audit.urls")),
    path("", include("referrals.urls")),
    path("", include("outcomes.urls")),
]

handler500 = "src_app.busy.server_error"
