"""Addresses of the account pages that are not allauth's."""

from django.urls import path

from src_app.accounts import views

urlpatterns = [
    path("session/stay/", views.stay, name="session_stay"),
    path("accessibility/", views.accessibility, name="accessibility"),
]
