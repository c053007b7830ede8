"""Addresses of the outcomes application, and of the pages that show both halves."""

from django.urls import path

from outcomes.views.case import case
from outcomes.views.compliance import compliance, compliance_chart, compliance_download

urlpatterns = [
    path("cases/<int:case_id>/", case, name="case"),
    path("compliance/", compliance, name="compliance"),
    path("compliance/chart.svg", compliance_chart, name="compliance_chart"),
    path("compliance/download/", compliance_download, name="compliance_download"),
]
