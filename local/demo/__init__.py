"""The demo: its people, their reports, past months of them, and the whole system running in one terminal."""
