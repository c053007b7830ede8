"""What is missing of reports and outcomes, for those who can have it put right."""
