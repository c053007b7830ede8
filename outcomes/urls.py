"""Addresses of the outcomes application: rates, evaluation, and the case page that shows both halves."""

from django.urls import path

from outcomes.case.views import case
from outcomes.evaluation.views.looks import open_look, trial_look
from outcomes.evaluation.views.results import (
    correct_data_set,
    lock_trial_outcomes,
    trial_data_set,
    trial_results,
)
from outcomes.quality.views import data_quality
from outcomes.rates.views import outcomes, outcomes_chart

urlpatterns = [
    path("cases/<record:case_id>/", case, name="case"),
    path("data-quality/", data_quality, name="data_quality"),
    path("outcomes/", outcomes, name="outcomes"),
    path("outcomes/chart.svg", outcomes_chart, name="outcomes_chart"),
    path("trials/<record:trial_id>/results/", trial_results, name="trial_results"),
    path("trials/<record:trial_id>/results/lock/", lock_trial_outcomes, name="lock_trial_outcomes"),
    path("trials/<record:trial_id>/results/correct/", correct_data_set, name="correct_data_set"),
    path("trials/<record:trial_id>/results/data-set/<record:number>/", trial_data_set, name="trial_data_set"),
    path("trials/<record:trial_id>/looks/open/", open_look, name="open_look"),
    path("trials/<record:trial_id>/looks/<record:look_id>/", trial_look, name="trial_look"),
]
