-- Identity pools. Settings and roles are JSON documents: they are read whole, into memory, and never searched.
CREATE TABLE identity_pools (
    id         TEXT PRIMARY KEY,
    account    TEXT NOT NULL,
    name       TEXT NOT NULL,
    settings   TEXT NOT NULL,
    roles      TEXT NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT;

-- Identities; never held in memory. There is no reference to the pool's row, so that deleting a pool of a million identities
-- is one short transaction: without its pool an identity is dead, and its rows are swept up afterwards.
CREATE TABLE identities (
    id           TEXT PRIMARY KEY,
    pool_id      TEXT NOT NULL,
    born_ms      INTEGER NOT NULL,
    modified_ms  INTEGER NOT NULL,
    -- When its first login was linked; null for a guest. It stays when the last login is unlinked.
    signed_in_ms INTEGER,
    -- Counts its changes, for compare and set.
    revision     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX identities_of_pool ON identities (pool_id, id);

-- A subject of a provider is one identity in a pool.
CREATE TABLE identity_logins (
    pool_id     TEXT NOT NULL,
    provider    TEXT NOT NULL,
    subject     TEXT NOT NULL,
    identity_id TEXT NOT NULL REFERENCES identities (id) ON DELETE CASCADE,
    linked_ms   INTEGER NOT NULL,
    PRIMARY KEY (pool_id, provider, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX logins_of_identity ON identity_logins (identity_id);

-- The keys that sign this gateway's open-id tokens, sealed by the key ring.
CREATE TABLE open_id_keys (
    id         TEXT PRIMARY KEY,
    sealed     BLOB NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT;
