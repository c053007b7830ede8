-- A case that was allocated is referred only in the SRC arm, and under its own allocation; a control only where
-- it was recorded that this deviates from the trial.
CASE WHEN NEW.allocation_id IS NULL
THEN NOT EXISTS (
    SELECT FROM referrals_allocation AS own
    WHERE own.case_id = NEW.case_id AND NOT EXISTS (
        SELECT FROM referrals_deviation AS ordered
        WHERE ordered.allocation_id = own.id
            AND ordered.kind IN ('referred_for_safety', 'referred_by_wish')
    )
)
ELSE EXISTS (
    SELECT FROM referrals_allocation
    WHERE id = NEW.allocation_id AND case_id = NEW.case_id AND arm = 'src'
)
END
