"""The overnight review: drafts, the check, and the submission of the day."""
