-- The decisions before or after their change that found a decided case suitable.
SELECT (
    SELECT bcu_id FROM referrals_case AS c WHERE c.id = $rows.case_id AND c.decided_at IS NOT NULL
) AS bcu_id, (
    SELECT code_id FROM outcomes_recordedoutcome WHERE case_id = $rows.case_id
    ORDER BY recorded_at DESC, id DESC LIMIT 1
) AS code_id, $number AS number
FROM $rows WHERE $rows.suitable
