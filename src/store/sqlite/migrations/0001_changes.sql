-- The change log: every transaction that writes something held in memory says here what it wrote.
CREATE TABLE changes (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    kind    TEXT NOT NULL,
    account TEXT NOT NULL,
    key     TEXT NOT NULL,
    at_ms   INTEGER NOT NULL
) STRICT;
