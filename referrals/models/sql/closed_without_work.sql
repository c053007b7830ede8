-- A closed team covers no ward and has no open referral.
NEW.closed_at IS NULL OR (
    NOT EXISTS (SELECT FROM referrals_ward WHERE team_id = NEW.id)
    AND NOT EXISTS (SELECT FROM referrals_referral WHERE team_id = NEW.id AND status = 'open')
)
