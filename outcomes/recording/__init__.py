"""Outcome codes, and the outcomes that files bring."""
