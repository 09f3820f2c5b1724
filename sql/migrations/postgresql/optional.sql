-- Parts of names by an index, where pg_trgm may be had (it is a trusted extension: the owner of the
-- database may create it). Without it the same statements read all names. Run after each migration,
-- so that one who installs the extension later gets the index with the next `meridian migrate`.
DO $$
BEGIN
	CREATE EXTENSION IF NOT EXISTS pg_trgm;
	CREATE INDEX IF NOT EXISTS target_name_part ON target_name
		USING gin (match_key gin_trgm_ops);
EXCEPTION
	WHEN insufficient_privilege OR undefined_file OR undefined_object
		OR feature_not_supported THEN
		RAISE WARNING 'parts of names are searched without an index, since pg_trgm is not to be had: %',
			SQLERRM;
END
$$;
