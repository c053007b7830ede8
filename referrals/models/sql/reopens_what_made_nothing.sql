-- A submitted decision is reopened as it was, while it has made neither an allocation nor a referral.
EXISTS (
    SELECT FROM referrals_decision
    WHERE case_id = NEW.case_id AND submission_id = NEW.submission_id
        AND suitable = NEW.suitable AND reason = NEW.reason AND contact_by = NEW.contact_by
)
AND NOT EXISTS (SELECT FROM referrals_referral WHERE case_id = NEW.case_id)
AND NOT EXISTS (SELECT FROM referrals_allocation WHERE case_id = NEW.case_id)
