-- Outcomes are locked once the crime record of every control unit was looked up.
NEW.status NOT IN ('locked', 'revealed')
OR NOT EXISTS (
    SELECT FROM referrals_allocation AS control
    WHERE control.trial_id = NEW.id AND control.arm = 'control'
        AND control.position IS NOT NULL
        AND NOT EXISTS (
            SELECT FROM referrals_controlcheck WHERE allocation_id = control.id
        )
)
