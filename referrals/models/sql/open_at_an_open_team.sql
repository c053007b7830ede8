-- An open referral is with an open team. The lock keeps the team from being closed meanwhile.
NEW.status <> 'open'
OR (TG_OP = 'UPDATE' AND OLD.status = 'open' AND OLD.team_id = NEW.team_id)
OR (SELECT closed_at IS NULL FROM referrals_team WHERE id = NEW.team_id FOR SHARE)
