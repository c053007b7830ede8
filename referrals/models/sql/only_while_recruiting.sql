-- A first report only while the trial recruits and is not paused; a linked one also once recruitment is closed.
EXISTS (
    SELECT FROM referrals_trial AS trial
    WHERE trial.id = NEW.trial_id
        AND trial.status IN ('recruiting', 'closed')
        AND (
            NEW.follows_id IS NOT NULL
            OR trial.status = 'recruiting' AND NOT EXISTS (
                SELECT FROM referrals_pause
                WHERE trial_id = trial.id AND resumed_at IS NULL
            )
        )
)
