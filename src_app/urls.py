"""Every address of the application; ``tests/meta/access.csv`` says who may call each."""

from django.urls import include, path

from src_app.health import views as health
from src_app.views import home

urlpatterns = [
    path("", home, name="home"),
    path("health/live/", health.live, name="health_live"),
    path("health/ready/", health.ready, name="health_ready"),
    path("", include("src_app.accounts.urls")),
    path("audit/", include("src_app.audit.urls")),
    path("", include("referrals.urls")),
    path("", include("outcomes.urls")),
]

handler500 = "src_app.busy.server_error"
