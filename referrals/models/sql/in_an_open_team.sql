-- Nobody joins a closed team, nor stays longer. The lock keeps the team from being closed meanwhile.
(
    TG_OP = 'UPDATE'
    AND OLD.team_id = NEW.team_id
    AND NEW.ends_on IS NOT NULL
    AND (OLD.ends_on IS NULL OR NEW.ends_on <= OLD.ends_on)
)
OR (SELECT closed_at IS NULL FROM referrals_team WHERE id = NEW.team_id FOR SHARE)
