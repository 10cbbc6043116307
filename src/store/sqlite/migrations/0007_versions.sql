-- Published versions beside the function itself, which is version 0; aliases; the policies of all three.
CREATE TABLE functions_with_versions (
    account               TEXT NOT NULL,
    name                  TEXT NOT NULL,
    version               INTEGER NOT NULL,
    revision              TEXT NOT NULL,
    generation            TEXT NOT NULL,
    modified_ms           INTEGER NOT NULL,
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
    environment           BLOB,
    tags                  TEXT NOT NULL,
    -- The number of the version published last, and whether nothing has changed since. Of version 0 only.
    published             INTEGER NOT NULL,
    is_published          INTEGER NOT NULL,
    -- The resource policy, as it was put; null where there is none.
    policy                TEXT,
    -- A JSON object of names and aliases. Of version 0 only.
    aliases               TEXT NOT NULL,
    PRIMARY KEY (account, name, version)
) STRICT, WITHOUT ROWID;

INSERT INTO functions_with_versions
SELECT account, name, 0, revision, generation, modified_ms, stage, code_sha256, code_bytes, description, runtime, handler,
       role_arn, timeout_seconds, memory_mb, tmp_mb, architecture, tracing, log_format, log_application_level,
       log_system_level, log_group, environment, tags, 0, 0, NULL, '{}'
FROM functions;

DROP TABLE functions;
ALTER TABLE functions_with_versions RENAME TO functions;
