-- A linked report stands in trial, arm and unit of the first report of its unit.
NEW.follows_id IS NULL OR EXISTS (
    SELECT FROM referrals_allocation AS first
    WHERE first.id = NEW.follows_id AND first.follows_id IS NULL
        AND first.trial_id = NEW.trial_id AND first.arm = NEW.arm
        AND first.unit = NEW.unit
)
