-- Targets: one at a time, with their names, extras, lists and rights.
--
-- PostgreSQL: the array of principals comes out of a sub-select, so that a plan made for any value
-- is thought as good as one made for these (it knows the length of neither). Otherwise it would
-- plan such a statement anew each time, which takes longer than running it.
--
-- MariaDB: a list of numbers or names is a table that JSON_TABLE makes of a text, with a character more
-- than the column has, so that one that is too long fits nothing; STRAIGHT_JOIN keeps that table first.
-- Where a row's rights are looked at, JSON_CONTAINS asks the list without making a table for each row.

--: target_get sqlite
-- One target, if one of the principals has the verbs on it (`everything`: a superuser asks). What
-- OPEN and PUBLIC give beside sight is `open`.
SELECT t.* FROM target t
WHERE t.id = :id AND (:everything = 1 OR EXISTS (
	SELECT 1 FROM rights r WHERE r.target_id = :id
	AND r.principal IN (SELECT value FROM json_each(:principals)) AND ((CASE WHEN r.principal < 16 THEN r.verbs | :open ELSE r.verbs END) & :verbs) = :verbs))
--: target_get postgresql
-- `everything` comes out of a sub-select for the same reason as the array: a plan for 1 alone is cheaper.
SELECT t.* FROM target t
WHERE t.id = :id AND ((SELECT CAST(:everything AS BIGINT)) = 1 OR EXISTS (
	SELECT 1 FROM rights r WHERE r.target_id = :id
	AND r.principal = ANY (CAST((SELECT CAST(:principals AS TEXT)) AS BIGINT[]))
	AND ((CASE WHEN r.principal < 16 THEN r.verbs | CAST(:open AS BIGINT) ELSE r.verbs END)
	& CAST(:verbs AS BIGINT)) = CAST(:verbs AS BIGINT)))
--: target_get mariadb
-- A list is JSON here; JSON_CONTAINS looks into it for each of the few rows of rights.
SELECT t.* FROM target t
WHERE t.id = :id AND (:everything = 1 OR EXISTS (
	SELECT 1 FROM rights r WHERE r.target_id = :id
	AND JSON_CONTAINS(:principals, CAST(r.principal AS CHAR)) AND ((CASE WHEN r.principal < 16 THEN r.verbs | :open ELSE r.verbs END) & :verbs) = :verbs))

--: target_load sqlite
-- One target that the asker may see, with what else they may do, who made it, and which
-- measurements it has.
SELECT t.*, u.username AS creator, r.verbs & 2 AS may_change, r.verbs & 4 AS may_delete,
	(SELECT revision FROM datum_revision WHERE target_id = :id) AS revision
FROM target t
CROSS JOIN (
	SELECT count(*) AS seen, max(v & 2) | max(v & 4) AS verbs FROM (
		SELECT CASE WHEN principal < 16 THEN verbs | :open ELSE verbs END AS v
		FROM json_each(:principals) p CROSS JOIN rights
		ON principal = p.value AND target_id = :id)) r
LEFT JOIN users u ON u.id = t.creator_id
WHERE t.id = :id AND (:everything = 1 OR r.seen > 0)
--: target_load postgresql
SELECT t.*, u.username AS creator, r.verbs & 2 AS may_change, r.verbs & 4 AS may_delete,
	(SELECT revision FROM datum_revision WHERE target_id = :id) AS revision
FROM target t
CROSS JOIN (
	SELECT CAST(count(*) AS BIGINT) AS seen, bit_or(CASE WHEN principal < 16
		THEN verbs | CAST(:open AS BIGINT) ELSE verbs END) AS verbs
	FROM rights
	WHERE target_id = :id AND principal = ANY (CAST((SELECT CAST(:principals AS TEXT)) AS BIGINT[]))) r
LEFT JOIN users u ON u.id = t.creator_id
WHERE t.id = :id AND (CAST(:everything AS BIGINT) = 1 OR r.seen > 0)
--: target_load mariadb
-- A list is JSON here; JSON_CONTAINS looks into it for each of the few rows of rights.
SELECT t.*, u.username AS creator, r.verbs & 2 AS may_change, r.verbs & 4 AS may_delete,
	(SELECT revision FROM datum_revision WHERE target_id = :id) AS revision
FROM target t
CROSS JOIN (
	SELECT count(*) AS seen, bit_or(CASE WHEN principal < 16 THEN verbs | :open ELSE verbs END) AS verbs
	FROM rights
	WHERE target_id = :id AND JSON_CONTAINS(:principals, CAST(principal AS CHAR))) r
LEFT JOIN users u ON u.id = t.creator_id
WHERE t.id = :id AND (:everything = 1 OR r.seen > 0)

--: target_aliases
-- The other names of a target, oldest first.
SELECT id, name FROM target_name WHERE target_id = :id AND is_primary = 0 ORDER BY id

--: target_parts
-- What belongs to a target, in one go: a page asks for all of it. `parts` is a sum of 1, its other
-- names; 2, its further fields; 4, the groups of people with rights on it (a group's principal is
-- its id times 16, plus 1); 8, the lists that it is in.
SELECT 1 AS part, id, name, '' AS value FROM target_name
WHERE target_id = :id AND is_primary = 0 AND (CAST(:parts AS BIGINT) & 1) = 1
UNION ALL
SELECT 2, id, "key", value FROM target_extra
WHERE target_id = :id AND (CAST(:parts AS BIGINT) & 2) = 2
UNION ALL
SELECT 4, g.id, g.name, '' FROM rights r JOIN user_group g ON g.id = (r.principal - 1) >> 4
WHERE r.target_id = :id AND r.principal % 16 = 1 AND r.principal > 16
	AND (CAST(:parts AS BIGINT) & 4) = 4
UNION ALL
SELECT 8, l.id, l.name, '' FROM target_list_member m JOIN target_list l ON l.id = m.list_id
WHERE m.target_id = :id AND (CAST(:parts AS BIGINT) & 8) = 8

--: target_lists
-- The target lists of the site, by name.
SELECT id, name FROM target_list ORDER BY name, id LIMIT :max

--: target_list_by_name
-- The oldest list of a name.
SELECT id FROM target_list WHERE name = :name ORDER BY id LIMIT 1

--: target_list_add insert
-- A new target list.
INSERT INTO target_list (name, created, modified) VALUES (:name, :now, :now)

--: target_list_put or-nothing
-- A target into a list.
INSERT INTO target_list_member (list_id, target_id) VALUES (:list, :target)

--: target_names_taken sqlite
-- Which of these match keys (a JSON array) are in use, whose, and may the asker see them?
SELECT n.match_key, n.target_id, n.is_primary, t.name,
	(:everything = 1 OR EXISTS (SELECT 1 FROM rights r WHERE r.target_id = n.target_id
		AND r.principal IN (SELECT value FROM json_each(:principals)))) AS visible
FROM json_each(:keys) k JOIN target_name n ON n.match_key = k.value
JOIN target t ON t.id = n.target_id
--: target_names_taken postgresql
SELECT n.match_key, n.target_id, n.is_primary, t.name,
	CASE WHEN CAST(:everything AS BIGINT) = 1 OR EXISTS (
		SELECT 1 FROM rights r WHERE r.target_id = n.target_id
		AND r.principal = ANY (CAST((SELECT CAST(:principals AS TEXT)) AS BIGINT[]))) THEN 1 ELSE 0 END AS visible
FROM json_array_elements_text(CAST(:keys AS json)) AS k (match_key) CROSS JOIN LATERAL (
	SELECT * FROM target_name WHERE match_key = k.match_key OFFSET 0) AS n
JOIN target t ON t.id = n.target_id
--: target_names_taken mariadb
-- A list is JSON here (db.h), read by JSON_TABLE; the join order is said, since the optimizer
-- does not know its length.
SELECT n.match_key, n.target_id, n.is_primary, t.name,
	(:everything = 1 OR EXISTS (SELECT 1 FROM rights r WHERE r.target_id = n.target_id
		AND JSON_CONTAINS(:principals, CAST(r.principal AS CHAR)))) AS visible
FROM JSON_TABLE(:keys, '$[*]' COLUMNS (match_key VARCHAR(301) CHARACTER SET utf8mb4 PATH '$')) k
STRAIGHT_JOIN target_name n ON n.match_key = k.match_key
JOIN target t ON t.id = n.target_id

--: target_ids_of_names sqlite
-- The targets of these match keys (a JSON array).
SELECT n.match_key, n.target_id
FROM json_each(:keys) k JOIN target_name n ON n.match_key = k.value
--: target_ids_of_names postgresql
-- One look-up a key in the unique index: for a list of keys the planner would take that of trigrams.
SELECT n.match_key, n.target_id
FROM json_array_elements_text(CAST(:keys AS json)) AS k (match_key) CROSS JOIN LATERAL (
	SELECT match_key, target_id FROM target_name WHERE match_key = k.match_key OFFSET 0) AS n
--: target_ids_of_names mariadb
-- A list is JSON here (db.h), read by JSON_TABLE; the join order is said, since the optimizer
-- does not know its length.
SELECT n.match_key, n.target_id
FROM JSON_TABLE(:keys, '$[*]' COLUMNS (match_key VARCHAR(301) CHARACTER SET utf8mb4 PATH '$')) k
STRAIGHT_JOIN target_name n ON n.match_key = k.match_key

--: target_ids_of_new sqlite
-- The targets of these names (a JSON array), to the letter.
SELECT t.id, t.name FROM json_each(:names) k JOIN target t ON t.name = k.value
--: target_ids_of_new postgresql
SELECT t.id, t.name FROM json_array_elements_text(CAST(:names AS json)) AS k (name)
CROSS JOIN LATERAL (SELECT id, name FROM target WHERE name = k.name OFFSET 0) AS t
--: target_ids_of_new mariadb
-- A list is JSON here (db.h), read by JSON_TABLE; the join order is said, since the optimizer
-- does not know its length.
SELECT t.id, t.name
FROM JSON_TABLE(:names, '$[*]' COLUMNS (name VARCHAR(101) CHARACTER SET utf8mb4 PATH '$')) k
STRAIGHT_JOIN target t ON t.name = k.name

--: target_add insert
-- A new target.
INSERT INTO target (name, type, permissions, created, modified, creator_id, ra, "dec", epoch, parallax,
	pm_ra, pm_dec, galactic_lng, galactic_lat, distance, distance_err, scheme, epoch_of_elements,
	mean_anomaly, arg_of_perihelion, eccentricity, lng_asc_node, inclination, mean_daily_motion,
	semimajor_axis, epoch_of_perihelion, perihdist, ephemeris_period, ephemeris_period_err,
	ephemeris_epoch, ephemeris_epoch_err, abs_mag, slope, zone)
VALUES (:name, :type, :permissions, :created, :modified, :creator_id, :ra, :dec, :epoch, :parallax,
	:pm_ra, :pm_dec, :galactic_lng, :galactic_lat, :distance, :distance_err, :scheme,
	:epoch_of_elements, :mean_anomaly, :arg_of_perihelion, :eccentricity, :lng_asc_node,
	:inclination, :mean_daily_motion, :semimajor_axis, :epoch_of_perihelion, :perihdist,
	:ephemeris_period, :ephemeris_period_err, :ephemeris_epoch, :ephemeris_epoch_err, :abs_mag,
	:slope, :zone)

--: target_change
-- All fields of a target but who made it and when.
UPDATE target SET name = :name, type = :type, permissions = :permissions, modified = :modified,
	ra = :ra, "dec" = :dec, epoch = :epoch, parallax = :parallax, pm_ra = :pm_ra, pm_dec = :pm_dec,
	galactic_lng = :galactic_lng, galactic_lat = :galactic_lat, distance = :distance,
	distance_err = :distance_err, scheme = :scheme, epoch_of_elements = :epoch_of_elements,
	mean_anomaly = :mean_anomaly, arg_of_perihelion = :arg_of_perihelion,
	eccentricity = :eccentricity, lng_asc_node = :lng_asc_node, inclination = :inclination,
	mean_daily_motion = :mean_daily_motion, semimajor_axis = :semimajor_axis,
	epoch_of_perihelion = :epoch_of_perihelion, perihdist = :perihdist,
	ephemeris_period = :ephemeris_period, ephemeris_period_err = :ephemeris_period_err,
	ephemeris_epoch = :ephemeris_epoch, ephemeris_epoch_err = :ephemeris_epoch_err,
	abs_mag = :abs_mag, slope = :slope, zone = :zone
WHERE id = :id

--: target_lock
-- Before a target is changed: who comes second sees what the first has made of it.
SELECT id FROM target WHERE id = :id FOR UPDATE
--: target_lock sqlite
-- (who writes there holds the whole database)
SELECT id FROM target WHERE id = :id

--: target_delete
-- A target and, by its foreign keys, all that is its own.
DELETE FROM target WHERE id = :id

--: target_name_add
-- A name of a target.
INSERT INTO target_name (target_id, name, match_key, is_primary, created, modified)
VALUES (:target, :name, :match_key, :is_primary, :now, :now)

--: target_name_change
-- Another text for a name.
UPDATE target_name SET name = :name, match_key = :match_key, modified = :now WHERE id = :id

--: target_name_primary
-- The primary name's row.
SELECT id, name FROM target_name WHERE target_id = :target AND is_primary = 1

--: target_name_delete
-- One name.
DELETE FROM target_name WHERE id = :id

--: target_extra_add
-- One extra of a target.
INSERT INTO target_extra (target_id, "key", value, float_value, bool_value, time_value)
VALUES (:target, :key, :value, :float_value, :bool_value, :time_value)

--: target_extras_clear
-- All extras of a target, before they are written anew.
DELETE FROM target_extra WHERE target_id = :target

--: user_groups_named sqlite
-- The groups of people with these names (a JSON array).
SELECT g.id, g.name FROM json_each(:names) k JOIN user_group g ON g.name = k.value
--: user_groups_named postgresql
SELECT id, name FROM user_group
WHERE name = ANY (ARRAY (SELECT json_array_elements_text(CAST(:names AS json))))
--: user_groups_named mariadb
-- A list is JSON here (db.h), read by JSON_TABLE; the join order is said, since the optimizer
-- does not know its length.
SELECT g.id, g.name FROM JSON_TABLE(:names, '$[*]' COLUMNS (name VARCHAR(151) CHARACTER SET utf8mb4 PATH '$')) k
STRAIGHT_JOIN user_group g ON g.name = k.name

--: user_groups_exist sqlite
-- How many of these groups (ids) there are.
SELECT count(*) AS n FROM user_group WHERE id IN (SELECT value FROM json_each(:ids))
--: user_groups_exist postgresql
SELECT CAST(count(*) AS BIGINT) AS n FROM user_group WHERE id = ANY (CAST(:ids AS BIGINT[]))
--: user_groups_exist mariadb
-- A list is JSON here (db.h), read by JSON_TABLE; the join order is said, since the optimizer
-- does not know its length.
SELECT count(*) AS n FROM JSON_TABLE(:ids, '$[*]' COLUMNS (id BIGINT PATH '$')) k
JOIN user_group g ON g.id = k.id
