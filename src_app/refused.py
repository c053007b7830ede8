"""What an action says when it cannot be done."""


class Refused(Exception):
    """The action cannot be done as things stand; its text is one sentence that says what to do."""
