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
from outcomes.rates.views import outcomes, outcomes_chart

urlpatterns = [
    path("cases/<int:case_id>/", case, name="case"),
    path("outcomes/", outcomes, name="outcomes"),
    path("outcomes/chart.svg", outcomes_chart, name="outcomes_chart"),
    path("trials/<int:trial_id>/results/", trial_results, name="trial_results"),
    path("trials/<int:trial_id>/results/lock/", lock_trial_outcomes, name="lock_trial_outcomes"),
    path("trials/<int:trial_id>/results/correct/", correct_data_set, name="correct_data_set"),
    path("trials/<int:trial_id>/results/data-set/<int:number>/", trial_data_set, name="trial_data_set"),
    path("trials/<int:trial_id>/looks/open/", open_look, name="open_look"),
    path("trials/<int:trial_id>/looks/<int:look_id>/", trial_look, name="trial_look"),
]
