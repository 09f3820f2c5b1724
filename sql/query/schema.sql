--: schema_tables sqlite
-- The tables of the database: whose is it?
SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name
--: schema_tables postgresql
SELECT CAST(tablename AS text) AS name FROM pg_catalog.pg_tables
WHERE schemaname = current_schema() ORDER BY tablename
--: schema_tables mariadb
SELECT table_name AS name FROM information_schema.tables
WHERE table_schema = DATABASE() ORDER BY table_name

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

--: schema_unfit mariadb only
-- Tables of an engine without transactions, which somebody has turned ours into.
SELECT table_name AS name, engine AS engine FROM information_schema.tables
WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' AND engine <> 'InnoDB'
ORDER BY table_name LIMIT 1

--: schema_part_index postgresql only
-- The index of parts of names, which needs an extension (optional.sql).
SELECT 1 AS there FROM pg_catalog.pg_indexes
WHERE schemaname = current_schema() AND indexname = 'target_name_part'
