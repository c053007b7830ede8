"""Wards, teams, people's membership, postcodes and the modes of wards."""
