"""Data to look at: made-up people, and made-up months of cases, brought about by the real actions."""
