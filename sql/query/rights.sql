-- Rights: who may do what with a target (rights), and with its measurements of one source
-- (datum_rights, where TARGET_PERMISSIONS_ONLY is no). A user's principal is their id times 16, a
-- group's that plus 1; 1 is anyone, 2 who is signed in (lib/auth/access.h).

--: rights_give or-nothing
-- Rights of a principal on a target; `created` is the target's.
INSERT INTO rights (principal, target_id, verbs, created)
VALUES (:principal, :target, :verbs, :created)

--: rights_set
-- Other verbs in a row that is there.
UPDATE rights SET verbs = :verbs WHERE target_id = :target AND principal = :principal

--: rights_take
-- A principal's rights on a target.
DELETE FROM rights WHERE target_id = :target AND principal = :principal

--: rights_groups
-- The principals of groups that have rights on a target.
SELECT principal, verbs FROM rights
WHERE target_id = :target AND principal % 16 = 1 AND principal > 16

--: rights_rows
-- The rights on a target, with whose they are, by principal.
SELECT r.principal, r.verbs, u.username, u.is_active, g.name AS group_name
FROM rights r
LEFT JOIN users u ON r.principal % 16 = 0 AND u.id = r.principal >> 4
LEFT JOIN user_group g ON r.principal % 16 = 1 AND r.principal > 16 AND g.id = (r.principal - 1) >> 4
WHERE r.target_id = :target AND r.principal > :after
ORDER BY r.principal LIMIT :limit

--: rights_of_user
-- Those of them that are a user's: everybody's, their own, their groups'.
SELECT r.principal, r.verbs, g.name AS group_name
FROM rights r
LEFT JOIN user_group g ON r.principal % 16 = 1 AND r.principal > 16 AND g.id = (r.principal - 1) >> 4
WHERE r.target_id = :target AND (r.principal < 16 OR r.principal = :user * 16 OR EXISTS (
	SELECT 1 FROM membership m WHERE m.user_id = :user AND m.group_id = g.id))
ORDER BY r.principal

--: rights_forget
-- Before a user or a group goes: no row may stay for who gets its number.
DELETE FROM rights WHERE principal = :principal

--: datum_rights_forget
DELETE FROM datum_rights WHERE principal = :principal

--: rights_holder
-- Is there such a user, or such a group?
SELECT CAST((SELECT count(*) FROM users WHERE id = :user)
	+ (SELECT count(*) FROM user_group WHERE id = :group) AS BIGINT) AS n

--: datum_rights_give or-nothing
-- Rights of a principal on the measurements of a source.
INSERT INTO datum_rights (target_id, source, principal, verbs)
VALUES (:target, :source, :principal, :verbs)

--: datum_rights_set
UPDATE datum_rights SET verbs = :verbs
WHERE target_id = :target AND source = :source AND principal = :principal

--: datum_rights_take
DELETE FROM datum_rights
WHERE target_id = :target AND source = :source AND principal = :principal

--: datum_rights_rows
-- As rights_rows; the row of nobody is left out.
SELECT r.principal, r.verbs, u.username, u.is_active, g.name AS group_name
FROM datum_rights r
LEFT JOIN users u ON r.principal % 16 = 0 AND u.id = r.principal >> 4
LEFT JOIN user_group g ON r.principal % 16 = 1 AND r.principal > 16 AND g.id = (r.principal - 1) >> 4
WHERE r.target_id = :target AND r.source = :source AND r.principal > :after
ORDER BY r.principal LIMIT :limit

--: datum_rights_of_user
-- As rights_of_user.
SELECT r.principal, r.verbs, g.name AS group_name
FROM datum_rights r
LEFT JOIN user_group g ON r.principal % 16 = 1 AND r.principal > 16 AND g.id = (r.principal - 1) >> 4
WHERE r.target_id = :target AND r.source = :source AND r.principal > 0
	AND (r.principal < 16 OR r.principal = :user * 16 OR EXISTS (
	SELECT 1 FROM membership m WHERE m.user_id = :user AND m.group_id = g.id))
ORDER BY r.principal

--: datum_rights_known sqlite
-- Which of these targets have rights on their measurements of a source?
SELECT DISTINCT r.target_id FROM json_each(:targets) AS w CROSS JOIN datum_rights AS r
WHERE r.target_id = w.value AND r.source = :source
--: datum_rights_known postgresql
SELECT r.target_id FROM unnest(CAST(:targets AS BIGINT[])) AS w (id) CROSS JOIN LATERAL (
	SELECT target_id FROM datum_rights WHERE target_id = w.id AND source = :source LIMIT 1) AS r
--: datum_rights_known mariadb
-- A list is JSON here (db.h), read by JSON_TABLE; the join order is said, since the optimizer
-- does not know its length.
SELECT DISTINCT r.target_id
FROM JSON_TABLE(:targets, '$[*]' COLUMNS (id BIGINT PATH '$')) AS w STRAIGHT_JOIN datum_rights AS r
WHERE r.target_id = w.id AND r.source = :source

--: rights_fill_window
-- The last of some targets behind one, and how many they are.
SELECT MAX(t.id) AS last, CAST(count(*) AS BIGINT) AS n
FROM (SELECT id FROM target WHERE id > :after ORDER BY id LIMIT :limit) t

--: datum_rights_missing
-- Sources of targets behind one up to another that have measurements, and nobody has rights on them.
SELECT s.source, s.target_id
FROM (SELECT DISTINCT d.source, d.target_id FROM datum d
	WHERE d.target_id > :after AND d.target_id <= :last) s
WHERE NOT EXISTS (SELECT 1 FROM datum_rights r WHERE r.target_id = s.target_id AND r.source = s.source)
ORDER BY s.source, s.target_id

--: datum_sources
-- Where a target's measurements are from, by name.
SELECT source FROM datum_rights WHERE target_id = :target
UNION SELECT source FROM datum WHERE target_id = :target
ORDER BY source
