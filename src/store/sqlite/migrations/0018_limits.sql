-- Limits of single accounts, functions and pools, held in memory by everyone. `target` is `account`, `function` or `pool`; `name` is
-- the function's name or the pool's id, and empty for the account. Either a concurrency is set or a rate.
CREATE TABLE limits (
    account     TEXT NOT NULL,
    target      TEXT NOT NULL,
    name        TEXT NOT NULL,
    limit_name  TEXT NOT NULL,
    concurrency INTEGER,
    tokens      INTEGER,
    per_seconds INTEGER,
    burst       INTEGER,
    PRIMARY KEY (account, target, name, limit_name)
) STRICT, WITHOUT ROWID;

-- A function or pool that is deleted takes its limits along, in the same transaction.
CREATE TRIGGER limits_of_functions AFTER DELETE ON functions WHEN old.version = 0 BEGIN
    DELETE FROM limits WHERE account = old.account AND target = 'function' AND name = old.name;
END;
CREATE TRIGGER limits_of_pools AFTER DELETE ON identity_pools BEGIN
    DELETE FROM limits WHERE target = 'pool' AND name = old.id;
END;
