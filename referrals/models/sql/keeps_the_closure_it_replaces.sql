-- A contact made on a closed referral keeps how that was closed; no other attempt keeps a closure.
CASE WHEN NEW.result = 'contact_made' AND NEW.withdraws_id IS NULL
    AND EXISTS (SELECT FROM referrals_referral WHERE id = NEW.referral_id AND status = 'closed')
THEN EXISTS (
    SELECT FROM referrals_referral
    WHERE id = NEW.referral_id AND close_reason = NEW.earlier_reason
        AND closed_at = NEW.earlier_closed_at AND closed_by_id = NEW.earlier_closed_by_id
)
ELSE NEW.earlier_reason = ''
END
