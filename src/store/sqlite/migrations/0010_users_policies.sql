-- Users, their access keys, and managed policies. As with roles, what belongs to one of them is in its row.

CREATE TABLE users (
    account    TEXT NOT NULL REFERENCES accounts (account),
    name       TEXT NOT NULL,
    id         TEXT NOT NULL UNIQUE,
    path       TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    policies   TEXT NOT NULL,
    attached   TEXT NOT NULL,
    tags       TEXT NOT NULL,
    revision   INTEGER NOT NULL,
    PRIMARY KEY (account, name)
) STRICT;

CREATE UNIQUE INDEX users_by_folded_name ON users (account, name COLLATE NOCASE);

-- NULL is the account's root.
ALTER TABLE access_keys ADD COLUMN user TEXT;

CREATE TABLE managed_policies (
    account         TEXT NOT NULL REFERENCES accounts (account),
    name            TEXT NOT NULL,
    id              TEXT NOT NULL UNIQUE,
    path            TEXT NOT NULL,
    description     TEXT,
    created_ms      INTEGER NOT NULL,
    updated_ms      INTEGER NOT NULL,
    versions        TEXT NOT NULL,
    default_version INTEGER NOT NULL,
    newest_version  INTEGER NOT NULL,
    tags            TEXT NOT NULL,
    revision        INTEGER NOT NULL,
    PRIMARY KEY (account, name)
) STRICT;

CREATE UNIQUE INDEX managed_policies_by_folded_name ON managed_policies (account, name COLLATE NOCASE);

-- A JSON array of names of managed policies.
ALTER TABLE roles ADD COLUMN attached TEXT NOT NULL DEFAULT '[]';

-- The policies of sessions, a JSON array of documents, by the SHA-256 hash of this text.
CREATE TABLE session_policies (
    hash     BLOB PRIMARY KEY,
    text     TEXT NOT NULL,
    until_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX session_policies_by_end ON session_policies (until_ms);
