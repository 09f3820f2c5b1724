--: schema_tables sqlite
-- The tables of the database: whose is it?
SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name
--: schema_tables postgresql
SELECT CAST(tablename AS text) AS name FROM pg_catalog.pg_tables
WHERE schemaname = current_schema() ORDER BY tablename
--: schema_tables mariadb
-- The catalogue is another one on each engine.
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

--: schema_columns sqlite
-- The columns of all tables, in their order: what roles are given rights to.
SELECT t.name AS name, c.name AS "column" FROM sqlite_schema t JOIN pragma_table_info(t.name) c
WHERE t.type = 'table' ORDER BY t.name, c.cid
--: schema_columns postgresql
SELECT CAST(table_name AS text) AS name, CAST(column_name AS text) AS "column"
FROM information_schema.columns WHERE table_schema = current_schema()
ORDER BY table_name, ordinal_position
--: schema_columns mariadb
-- The catalogue is another one on each engine.
SELECT table_name AS name, column_name AS `column` FROM information_schema.columns
WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position

--: schema_where sqlite
-- The database's name, its schema, and for accounts the host that ours may come from.
SELECT '' AS name, '' AS home, '' AS host
--: schema_where postgresql
SELECT CAST(current_database() AS text) AS name, CAST(current_schema() AS text) AS home, '' AS host
--: schema_where mariadb
-- The catalogue is another one on each engine.
SELECT DATABASE() AS name, DATABASE() AS home, substring_index(CURRENT_USER(), '@', -1) AS host
