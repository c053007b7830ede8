-- Race is a stratum or a factor only where the data protection assessment allows it.
NEW.status = 'draft'
OR NOT (
    NEW.protocol->>'stratified_by' = 'race'
    OR NEW.protocol->'allocation'->'factors' @> '[{"name": "race"}]'
)
OR EXISTS (SELECT FROM referrals_approval WHERE trial_id = NEW.id AND allows_strand)
