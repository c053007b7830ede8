-- Once a submitted decision is gone, its case waits again: it is never neither decided nor waiting.
IF EXISTS (
    SELECT FROM referrals_case AS gone
    WHERE gone.id = OLD.case_id AND gone.decided_at IS NOT NULL
        AND NOT EXISTS (SELECT FROM referrals_decision WHERE case_id = gone.id)
) THEN
    RAISE EXCEPTION 'refused: waits_or_is_decided' USING ERRCODE = 'check_violation';
END IF;
RETURN NULL;
