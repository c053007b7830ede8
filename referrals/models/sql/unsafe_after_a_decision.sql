-- A referral is closed as unsafe once a supervisor has decided, since it was last referred, that no way is safe.
NEW.close_reason <> 'unsafe'
OR (TG_OP = 'UPDATE' AND OLD.close_reason = 'unsafe')
OR EXISTS (
    SELECT FROM referrals_safetydecision AS decision
    WHERE decision.referral_id = NEW.id AND decision.method = ''
        AND NOT EXISTS (
            SELECT FROM referrals_referralorder
            WHERE referral_id = NEW.id AND ordered_at > decision.decided_at
        )
        AND NOT EXISTS (
            SELECT FROM referrals_reopening
            WHERE referral_id = NEW.id AND reopened_at > decision.decided_at
        )
)
