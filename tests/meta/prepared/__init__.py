"""What each action needs, by feature, for those who try it where the audit row cannot be written."""
