"""The pages of teams and wards, and what goes along when they change."""
