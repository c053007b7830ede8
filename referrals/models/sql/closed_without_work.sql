-- A closed team covers no ward and has no open referral. Unless it was merged into another, nothing is to be
-- done either of its ended referrals, and of those of teams that were merged into it.
NEW.closed_at IS NULL OR (
    NOT EXISTS (SELECT FROM referrals_ward WHERE team_id = NEW.id)
    AND NOT EXISTS (SELECT FROM referrals_referral WHERE team_id = NEW.id AND status = 'open')
    AND (
        NEW.merged_into_id IS NOT NULL
        OR NOT EXISTS (
            SELECT FROM referrals_followup AS task
            JOIN referrals_referral AS referral ON referral.id = task.referral_id
            JOIN referrals_team AS team ON team.id = referral.team_id
            WHERE task.done_at IS NULL AND NEW.id IN (team.id, team.merged_into_id)
        )
    )
)
