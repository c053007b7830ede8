"""Every change of state, one verb each: authority, lock, change, audit row and mail in one transaction."""


class Refused(Exception):
    """The action cannot be done as things stand; its text is one sentence that says what to do."""
