-- Merging, role mappings and principal tags of identity pools.
-- By provider, which claims become which principal tags; JSON, as the settings are.
ALTER TABLE identity_pools ADD COLUMN tag_maps TEXT NOT NULL DEFAULT '{}';
-- Counts a pool's changes, for compare and set.
ALTER TABLE identity_pools ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;

-- An identity that was merged into another has no logins and opens nothing; it says who it has become. There is no reference
-- to that identity's row, so that deleting one stays short however many were merged into it.
ALTER TABLE identities ADD COLUMN merged_into TEXT;
ALTER TABLE identities ADD COLUMN merged_ms INTEGER;
CREATE INDEX identities_merged ON identities (merged_into, merged_ms) WHERE merged_into IS NOT NULL;
