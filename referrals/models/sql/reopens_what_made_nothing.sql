-- A submitted decision is reopened as it was, while it has made neither an allocation nor a referral, and while no
-- trial that it was assessed for is closed: its flow of participants would lack the report.
EXISTS (
    SELECT FROM referrals_decision AS decision
    LEFT JOIN referrals_trial AS trial ON trial.id = decision.assessed_for_id
    WHERE decision.case_id = NEW.case_id AND decision.submission_id = NEW.submission_id
        AND decision.suitable = NEW.suitable AND decision.reason = NEW.reason
        AND decision.contact_by = NEW.contact_by AND decision.duplicate_of = NEW.duplicate_of
        AND decision.assessed_for_id IS NOT DISTINCT FROM NEW.assessed_for_id
        AND coalesce(trial.status = 'recruiting', true)
)
AND NOT EXISTS (SELECT FROM referrals_referral WHERE case_id = NEW.case_id)
AND NOT EXISTS (SELECT FROM referrals_allocation WHERE case_id = NEW.case_id)
