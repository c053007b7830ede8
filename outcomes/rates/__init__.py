"""The night's counts, and the page Outcomes."""
