-- Scopes whose sessions have ended, held in memory by everyone. `ends_ms` is when the last session that the row could concern has
-- ended by itself; null where old login tokens, which may last for ever, are refused by it too.
CREATE TABLE revocations (
    scope         TEXT PRIMARY KEY,
    account       TEXT NOT NULL,
    pool_id       TEXT,
    not_before_ms INTEGER NOT NULL,
    ends_ms       INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX revocations_by_end ON revocations (ends_ms) WHERE ends_ms IS NOT NULL;

-- What outlasts the sessions of a revoked identity: from when on its logins count, and whether the id of a guest opens anything.
CREATE TABLE identity_holds (
    identity_id   TEXT PRIMARY KEY REFERENCES identities (id) ON DELETE CASCADE,
    not_before_ms INTEGER,
    disabled_ms   INTEGER,
    restored_ms   INTEGER
) STRICT, WITHOUT ROWID;
