"""A case's page and time line, which join both halves."""
