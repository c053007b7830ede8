"""Whether this system does its work: what is late, the mail about it, and the metrics of it."""
