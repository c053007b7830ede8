"""Programs for people outside: one file each, that imports the standard library alone."""
