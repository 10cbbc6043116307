-- Functions as deployed. Packages lie in the package store under the hash of their bytes; a row is written last, so that
-- whatever a row names is there.
CREATE TABLE functions (
    account               TEXT NOT NULL,
    name                  TEXT NOT NULL,
    -- The RevisionId; every write draws a new one, and a write names the one it replaces.
    revision              TEXT NOT NULL,
    -- Changes with whatever a running sandbox cannot take on.
    generation            TEXT NOT NULL,
    modified_ms           INTEGER NOT NULL,
    -- creating, updating or settled
    stage                 TEXT NOT NULL,
    code_sha256           BLOB NOT NULL,
    code_bytes            INTEGER NOT NULL,
    description           TEXT NOT NULL,
    runtime               TEXT NOT NULL,
    handler               TEXT NOT NULL,
    role_arn              TEXT NOT NULL,
    timeout_seconds       INTEGER NOT NULL,
    memory_mb             INTEGER NOT NULL,
    tmp_mb                INTEGER NOT NULL,
    architecture          TEXT NOT NULL,
    tracing               TEXT NOT NULL,
    log_format            TEXT NOT NULL,
    log_application_level TEXT,
    log_system_level      TEXT,
    log_group             TEXT NOT NULL,
    -- A JSON object of names and values, sealed; null where none was ever given.
    environment           BLOB,
    -- A JSON object of keys and values.
    tags                  TEXT NOT NULL,
    PRIMARY KEY (account, name)
) STRICT, WITHOUT ROWID;
