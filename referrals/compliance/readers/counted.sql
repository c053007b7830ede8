-- How the referrals due in a period stand, by ward or by the time they are due. The database keeps count of what
-- ended. Only what is open, or ended before a due time to come, is counted here, and how long clocks have stood.
WITH own AS NOT MATERIALIZED (
    SELECT id, status, due_at, contacted_at, closed_at, stopped_until, $key AS key,
        due_at >= %(begins)s AND due_at < %(ends)s AS in_period
    FROM referrals_referral WHERE ward_id = ANY (%(wards)s) AND made_at <= %(at)s AND $taken
)
SELECT key, sum(in_time), sum(late), sum(overdue), sum(not_yet_due), sum(closed_without_contact), sum(stopped),
    sum(overdue_now), sum(ended_early), coalesce(sum(stood), interval '0')
FROM (
    SELECT key, sum(in_time)::int AS in_time, sum(late)::int AS late, 0 AS overdue, 0 AS not_yet_due,
        sum(closed_without_contact)::int AS closed_without_contact, 0 AS stopped, 0 AS overdue_now,
        0 AS ended_early, NULL::interval AS stood
    FROM ($ended) AS ended GROUP BY key
    UNION ALL
    SELECT key, 0, 0, count(*) FILTER (WHERE in_period AND due_at < %(at)s)::int,
        count(*) FILTER (WHERE in_period AND due_at >= %(at)s AND NOT is_stopped)::int, 0,
        count(*) FILTER (WHERE in_period AND is_stopped)::int, count(*) FILTER (WHERE due_at < %(at)s)::int, 0, NULL
    FROM (
        SELECT key, due_at, in_period, coalesce(stopped_until > %(at)s, false) AS is_stopped
        FROM own WHERE status = 'open'
    ) AS open GROUP BY key
    UNION ALL
    SELECT key, 0, 0, 0, 0, 0, 0, 0, count(*)::int, NULL
    FROM own WHERE closed_at IS NOT NULL AND due_at >= %(at)s AND in_period GROUP BY key
    UNION ALL
    SELECT key, 0, 0, 0, 0, 0, 0, 0, 0, sum(least(stop.ends_at, own.closed_at, %(at)s) - stop.starts_at)
    FROM own JOIN referrals_clockstop AS stop ON stop.referral_id = own.id
    WHERE own.stopped_until IS NOT NULL AND in_period AND stop.starts_at < %(at)s GROUP BY key
) AS counted
GROUP BY key
