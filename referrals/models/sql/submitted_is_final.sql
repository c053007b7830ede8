-- A submitted decision never changes; it goes only where it was reopened, which keeps what it said.
IF TG_OP = 'DELETE' AND EXISTS (
    SELECT FROM referrals_reopeneddecision
    WHERE case_id = OLD.case_id AND submission_id = OLD.submission_id
) THEN
    RETURN OLD;
END IF;
RAISE EXCEPTION 'refused: submitted_is_final' USING ERRCODE = 'check_violation';
