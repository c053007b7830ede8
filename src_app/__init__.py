"""The project: settings, web and Celery applications, and what runs them."""

from src_app.celery import app

__all__ = ["app"]
