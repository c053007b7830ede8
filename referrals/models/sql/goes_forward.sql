-- A trial stays at its step or takes the next one; what is sealed stays, and so does what a step has set.
IF array_position($order, NEW.status::text) - array_position($order, OLD.status::text) NOT IN (0, 1)
    OR (OLD.status <> 'draft' AND ($sealed_changed))
    OR $set_before_changed
THEN
    RAISE EXCEPTION 'refused: a trial goes forward' USING ERRCODE = 'check_violation';
END IF;
RETURN NEW;
