"""One way to build a list: filters → rows in scope → page by keyset → table → file, and what is recorded."""
