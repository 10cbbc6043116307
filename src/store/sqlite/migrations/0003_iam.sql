-- Accounts, their root keys, roles and OpenID Connect providers.

CREATE TABLE accounts (
    account    TEXT PRIMARY KEY,
    created_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE access_keys (
    id            TEXT PRIMARY KEY,
    account       TEXT NOT NULL REFERENCES accounts (account),
    sealed_secret BLOB NOT NULL,
    active        INTEGER NOT NULL,
    created_ms    INTEGER NOT NULL
) STRICT;

CREATE INDEX access_keys_by_account ON access_keys (account);

-- Inline policies and tags are JSON objects in their role's row, so that a role is written whole or not at all.
CREATE TABLE roles (
    account             TEXT NOT NULL REFERENCES accounts (account),
    name                TEXT NOT NULL,
    id                  TEXT NOT NULL UNIQUE,
    path                TEXT NOT NULL,
    description         TEXT,
    trust               TEXT NOT NULL,
    max_session_seconds INTEGER NOT NULL,
    created_ms          INTEGER NOT NULL,
    policies            TEXT NOT NULL,
    tags                TEXT NOT NULL,
    revision            INTEGER NOT NULL,
    PRIMARY KEY (account, name)
) STRICT;

-- "Names are not distinguished by case": two roles cannot differ by it alone.
CREATE UNIQUE INDEX roles_by_folded_name ON roles (account, name COLLATE NOCASE);

CREATE TABLE oidc_providers (
    account     TEXT NOT NULL REFERENCES accounts (account),
    name        TEXT NOT NULL,
    issuer      TEXT NOT NULL,
    client_ids  TEXT NOT NULL,
    thumbprints TEXT NOT NULL,
    created_ms  INTEGER NOT NULL,
    tags        TEXT NOT NULL,
    revision    INTEGER NOT NULL,
    PRIMARY KEY (account, name)
) STRICT;

-- The account that exists from the first start.
INSERT INTO accounts (account, created_ms) VALUES ('000000000000', 0);
