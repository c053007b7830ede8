-- The case before or after its change, where it counts.
SELECT $row.bcu_id, (
    SELECT code_id FROM outcomes_recordedoutcome WHERE case_id = $row.id
    ORDER BY recorded_at DESC, id DESC LIMIT 1
) AS code_id, $number AS number
WHERE $row.decided_at IS NOT NULL AND (SELECT suitable FROM referrals_decision WHERE case_id = $row.id)
