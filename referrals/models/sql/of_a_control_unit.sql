-- Only the first report of a control unit is looked up, after its follow-up and before outcomes are locked.
EXISTS (
    SELECT FROM referrals_allocation AS control
    JOIN referrals_trial AS trial ON trial.id = control.trial_id
    WHERE control.id = NEW.allocation_id AND control.arm = 'control'
        AND control.position IS NOT NULL
        AND trial.status IN ('recruiting', 'closed')
        AND NEW.checked_at >= control.allocated_at
        + make_interval(days => (trial.protocol->>'follow_up_days')::int)
)
