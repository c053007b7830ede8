-- A case is decided once, and waits again only where its decision was reopened and is gone.
IF NEW.decided_at IS NULL
    AND EXISTS (SELECT FROM referrals_reopeneddecision WHERE case_id = OLD.id)
    AND NOT EXISTS (SELECT FROM referrals_decision WHERE case_id = OLD.id)
THEN
    RETURN NEW;
END IF;
RAISE EXCEPTION 'refused: decided_once' USING ERRCODE = 'check_violation';
