-- The cases of new outcomes, with the latest outcome before or after them.
SELECT (
    SELECT bcu_id FROM referrals_case AS c
    WHERE c.id = changed.case_id AND c.decided_at IS NOT NULL
        AND (SELECT suitable FROM referrals_decision WHERE case_id = c.id)
) AS bcu_id, (
    SELECT code_id FROM outcomes_recordedoutcome WHERE case_id = changed.case_id $but
    ORDER BY recorded_at DESC, id DESC LIMIT 1
) AS code_id, $number AS number
FROM (SELECT DISTINCT case_id FROM new_rows) AS changed
