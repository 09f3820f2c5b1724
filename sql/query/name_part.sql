-- The index of parts of names, which SQLite and MariaDB keep in a table; PostgreSQL's keeps itself.

--: name_part_add sqlite only
-- After the names of a target were added.
INSERT INTO name_part (rowid, match_key)
SELECT id, match_key FROM target_name WHERE target_id = :target_id

--: name_part_add_many sqlite only
-- After the names of these targets were added in bulk.
INSERT INTO name_part (rowid, match_key)
SELECT n.id, n.match_key FROM json_each(:targets) t JOIN target_name n ON n.target_id = t.value

--: name_part_remove sqlite only
-- Before the names of a target are changed or removed, and before it is deleted.
INSERT INTO name_part (name_part, rowid, match_key)
SELECT 'delete', id, match_key FROM target_name WHERE target_id = :target_id

--: name_part_add mariadb only
-- There is no index of parts: the endings of each name are kept in a table.
INSERT INTO name_part (ending, name_id)
SELECT substr(n.match_key, b.n), n.id
FROM target_name n STRAIGHT_JOIN name_part_begin b ON b.n <= char_length(n.match_key) - 2
WHERE n.target_id = :target_id

--: name_part_add_many mariadb only
-- The same for many targets.
INSERT INTO name_part (ending, name_id)
SELECT substr(n.match_key, b.n), n.id
FROM JSON_TABLE(:targets, '$[*]' COLUMNS (id BIGINT PATH '$')) t
STRAIGHT_JOIN target_name n ON n.target_id = t.id
STRAIGHT_JOIN name_part_begin b ON b.n <= char_length(n.match_key) - 2

--: name_part_remove mariadb only
-- The same taken away.
DELETE p FROM target_name n
STRAIGHT_JOIN name_part_begin b ON b.n <= char_length(n.match_key) - 2
STRAIGHT_JOIN name_part p ON p.ending = substr(n.match_key, b.n) AND p.name_id = n.id
WHERE n.target_id = :target_id
