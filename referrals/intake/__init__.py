"""Extracts: read, previewed and saved; held until somebody confirms; taken from the watched folder."""
