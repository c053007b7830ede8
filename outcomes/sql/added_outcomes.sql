-- Adds what rows of BCU, code and number come to, and nothing where that is nothing.
INSERT INTO outcomes_outcomecount (bcu_id, code_id, cases)
SELECT bcu_id, code_id, sum(number) FROM ($changes) AS changed
WHERE bcu_id IS NOT NULL GROUP BY 1, 2 HAVING sum(number) <> 0
