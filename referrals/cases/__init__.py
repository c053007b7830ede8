"""The case list, a report as the rules see it, linked reports, and texts that can be erased."""
