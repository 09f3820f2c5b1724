--: schema_tables sqlite
-- The tables of the database: whose is it?
SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name
--: schema_tables postgresql
SELECT CAST(tablename AS text) AS name FROM pg_catalog.pg_tables
WHERE schemaname = current_schema() ORDER BY tablename

--: schema_versions
-- The migrations that were applied.
SELECT version, name, checksum, applied FROM schema_migration ORDER BY version

--: schema_begin or-nothing
-- Notes that a migration is begun.
INSERT INTO schema_migration (version, name, checksum, applied)
VALUES (:version, :name, :checksum, 0)

--: schema_finish
-- ... and that it is done.
UPDATE schema_migration SET applied = :applied WHERE version = :version

--: schema_ids sqlite
-- Ids that no row of the table ever had.
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
SELECT i + COALESCE((SELECT seq FROM sqlite_sequence WHERE name = :table), 0) AS id FROM n
--: schema_ids postgresql
SELECT nextval(CAST(pg_get_serial_sequence(:table, 'id') AS regclass)) AS id
FROM generate_series(1, CAST(:count AS BIGINT))
