-- How those of these referrals that have ended did so, by ward and due day, or week, in London.
SELECT ward_id, date_trunc('$span', due_at AT TIME ZONE '$time_zone')::date AS due_on,
    count(*) FILTER (WHERE contacted_at <= due_at) AS in_time,
    count(*) FILTER (WHERE contacted_at > due_at) AS late,
    count(*) FILTER (WHERE contacted_at IS NULL) AS closed_without_contact
FROM $rows WHERE closed_at IS NOT NULL GROUP BY 1, 2
