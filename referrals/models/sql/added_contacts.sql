-- Adds the differences between two counts of contacts, and nothing where there is none.
INSERT INTO $table (ward_id, due_on, in_time, late, closed_without_contact)
SELECT ward_id, due_on, sum(in_time), sum(late), sum(closed_without_contact)
FROM (
    SELECT * FROM ($more) AS more
    UNION ALL
    SELECT ward_id, due_on, -in_time, -late, -closed_without_contact FROM ($less) AS less
) AS changed
GROUP BY 1, 2 HAVING sum(in_time) <> 0 OR sum(late) <> 0 OR sum(closed_without_contact) <> 0
