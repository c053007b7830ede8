"""The whole system on one machine, for a demo and for tests. Nothing that serves imports this."""
