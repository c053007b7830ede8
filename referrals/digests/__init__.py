"""What somebody chose to be sent regularly: what waits this morning, and how the last week went."""
