-- A ward's team is open, and of the ward's own BCU. The lock keeps the team from being closed meanwhile.
(
    SELECT team.closed_at IS NULL AND of_team.bcu_id = of_ward.bcu_id
    FROM referrals_team AS team
    JOIN referrals_borough AS of_team ON of_team.id = team.borough_id
    JOIN referrals_borough AS of_ward ON of_ward.id = NEW.borough_id
    WHERE team.id = NEW.team_id
    FOR SHARE OF team
)
