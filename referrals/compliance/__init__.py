"""Did each referral get its contact, and where not: the page, its charts, downloads and counts."""
