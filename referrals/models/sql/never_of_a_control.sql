-- A case that was allocated is referred only in the SRC arm, and under its own allocation.
CASE WHEN NEW.allocation_id IS NULL
THEN NOT EXISTS (SELECT FROM referrals_allocation WHERE case_id = NEW.case_id)
ELSE EXISTS (
    SELECT FROM referrals_allocation
    WHERE id = NEW.allocation_id AND case_id = NEW.case_id AND arm = 'src'
)
END
