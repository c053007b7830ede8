"""Whether what pages and tasks need is there, and when each task last ran."""
