"""Measures what pages and imports cost as the history grows: ``script/bench``."""
