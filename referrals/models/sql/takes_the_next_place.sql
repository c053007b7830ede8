-- It has the next number of its trial and the hash of the row before, and where it takes a position the next of its
-- stratum. Whoever may insert rows can so not forge one between others, or ahead of them.
NEW.number = (
    SELECT coalesce(max(number), 0) + 1 FROM referrals_allocation WHERE trial_id = NEW.trial_id
)
AND NEW.previous_hash = coalesce(
    (SELECT row_hash FROM referrals_allocation WHERE trial_id = NEW.trial_id AND number = NEW.number - 1), ''
)
AND (
    NEW.position IS NULL
    OR NEW.position = (
        SELECT coalesce(max(position), 0) + 1 FROM referrals_allocation
        WHERE trial_id = NEW.trial_id AND stratum = NEW.stratum
    )
)
