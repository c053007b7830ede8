"""A randomised trial: design, seal, life, allocation, wards, progress, deviations, bundle and check."""
