-- Race is a stratum or a factor only where the data protection assessment allows it.
NEW.status = 'draft'
OR NOT (
    'race' = ANY (string_to_array(NEW.protocol->>'stratified_by', '+'))
    OR NEW.protocol->'allocation'->'factors' @> '[{"name": "race"}]'
)
OR EXISTS (SELECT FROM referrals_approval WHERE trial_id = NEW.id AND allows_strand)
