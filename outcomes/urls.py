"""Addresses of the outcomes application."""

from django.http import HttpResponse
from django.urls import path

from outcomes.views import case

urlpatterns = [
    path("cases/<int:case_id>/", case.case, name="case"),
    path("compliance/", lambda request: HttpResponse("soon"), name="compliance"),
]
