"""A referral's life: referred, taken, attempts, closed, handed over; notices and follow-ups."""
