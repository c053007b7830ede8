"""The demo and the tests on one machine: every process and service started, watched and ended together."""
