-- All stops of a referral, this one among them, are at most 28 days long together.
NEW.ends_at - NEW.starts_at + coalesce(
    (
        SELECT sum(ends_at - starts_at) FROM referrals_clockstop
        WHERE referral_id = NEW.referral_id AND id <> NEW.id
    ),
    interval '0'
) <= interval '28 days'
