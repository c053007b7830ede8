"""The outbox, and the words of what goes out by e-mail."""
