"""Addresses of the outcomes application, and of the pages that show both halves."""

from django.urls import path

from outcomes.views.case import case
from outcomes.views.compliance import compliance, compliance_chart
from outcomes.views.trial_looks import open_look, trial_look
from outcomes.views.trial_results import correct_data_set, lock_trial, trial_data_set, trial_results

urlpatterns = [
    path("cases/<int:case_id>/", case, name="case"),
    path("compliance/", compliance, name="compliance"),
    path("compliance/chart.svg", compliance_chart, name="compliance_chart"),
    path("trials/<int:trial_id>/results/", trial_results, name="trial_results"),
    path("trials/<int:trial_id>/results/lock/", lock_trial, name="lock_trial"),
    path("trials/<int:trial_id>/results/correct/", correct_data_set, name="correct_data_set"),
    path("trials/<int:trial_id>/results/data-set/<int:number>/", trial_data_set, name="trial_data_set"),
    path("trials/<int:trial_id>/looks/open/", open_look, name="open_look"),
    path("trials/<int:trial_id>/looks/<int:look_id>/", trial_look, name="trial_look"),
]
