-- When a guest last asked for credentials or a token, to the day. Of guests from before nobody knows: they count as used now.
ALTER TABLE identities ADD COLUMN used_ms INTEGER NOT NULL DEFAULT 0;
UPDATE identities SET used_ms = CAST(strftime('%s', 'now') AS INTEGER) * 1000;

-- Guests in the order in which they expire.
CREATE INDEX guests_by_use ON identities (used_ms) WHERE signed_in_ms IS NULL AND merged_into IS NULL;
