-- Rows of a trial are added, changed or taken away only while it is a draft.
IF EXISTS (
    SELECT FROM referrals_trial WHERE status <> 'draft'
    AND id IN (
        CASE WHEN TG_OP = 'INSERT' THEN NULL ELSE OLD.trial_id END,
        CASE WHEN TG_OP = 'DELETE' THEN NULL ELSE NEW.trial_id END
    )
) THEN
    RAISE EXCEPTION 'refused: the trial is sealed' USING ERRCODE = 'check_violation';
END IF;
IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
RETURN NEW;
