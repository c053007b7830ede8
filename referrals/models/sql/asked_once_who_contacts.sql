-- Of a case one open task asks who contacts the victim: what the crime record closed, or what was found not suitable.
CASE
    WHEN NEW.done_at IS NOT NULL THEN true
    WHEN NEW.kind = 'ruled_out' THEN NOT EXISTS (
        SELECT FROM referrals_followup AS other
        JOIN referrals_referral AS own ON own.case_id = other.case_id
        WHERE own.id = NEW.referral_id AND other.kind = 'contact_elsewhere' AND other.done_at IS NULL
    )
    WHEN NEW.kind = 'contact_elsewhere' THEN NOT EXISTS (
        SELECT FROM referrals_followup AS other
        JOIN referrals_referral AS own ON own.id = other.referral_id
        WHERE own.case_id = NEW.case_id AND other.kind = 'ruled_out' AND other.done_at IS NULL
    )
    ELSE true
END
