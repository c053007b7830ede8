-- Gives the row's case a state that it may have now; the trigger of the case table writes the true one.
IF EXISTS (
    SELECT FROM referrals_case
    WHERE id = $row.case_id AND $may_change AND state <> $state
) THEN
    UPDATE referrals_case SET state = $state WHERE id = $row.case_id;
END IF;
RETURN NULL;
