"""Addresses of the audit pages."""

from django.urls import path

from src_app.audit import views

urlpatterns = [
    path("", views.audit_list, name="audit_list"),
    path("<uuid:request_id>/", views.audit_request, name="audit_request"),
]
