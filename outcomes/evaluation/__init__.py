"""A trial's data set, its looks, the lock and its corrections."""
