-- The objects of surveys, the alerts behind them, and the targets that they join.

--: objects_named sqlite
-- The objects of these names (a JSON array), to the letter, that an audience is told of.
SELECT o.id, o.name, o.first_mjd, o.last_mjd, o.alerts, o.detections, o.target_id, o.note
FROM json_each(:names) k CROSS JOIN survey_object o
WHERE o.survey = :survey AND o.name = k.value
	AND o.sight = (SELECT id FROM audience WHERE members = :audience)
--: objects_named postgresql
SELECT o.id, o.name, o.first_mjd, o.last_mjd, o.alerts, o.detections, o.target_id, o.note
FROM json_array_elements_text(CAST(:names AS json)) AS k (name) CROSS JOIN LATERAL (
	SELECT id, name, first_mjd, last_mjd, alerts, detections, target_id, note FROM survey_object
	WHERE survey = :survey AND name = k.name
	AND sight = (SELECT id FROM audience WHERE members = :audience) OFFSET 0) AS o
--: objects_named mariadb
-- A list is JSON here (db.h), read by JSON_TABLE; the join order is said, since the optimizer
-- does not know its length.
SELECT o.id, o.name, o.first_mjd, o.last_mjd, o.alerts, o.detections, o.target_id, o.note
FROM JSON_TABLE(:names, '$[*]' COLUMNS (name VARCHAR(101) CHARACTER SET utf8mb4 PATH '$')) k
STRAIGHT_JOIN survey_object o ON o.survey = :survey AND o.name = k.name
	AND o.sight = (SELECT id FROM audience WHERE members = :audience)

--: objects_seen sqlite
-- Objects were seen again: rows of id, ra, dec, first_mjd, last_mjd, alerts (that are new), detections,
-- target_id, note (a JSON array of arrays). The rows bring targets, and take none away.
UPDATE survey_object SET
	ra = CASE WHEN w.last_mjd >= survey_object.last_mjd THEN w.ra ELSE survey_object.ra END,
	"dec" = CASE WHEN w.last_mjd >= survey_object.last_mjd THEN w."dec" ELSE survey_object."dec" END,
	first_mjd = min(survey_object.first_mjd, w.first_mjd),
	last_mjd = max(survey_object.last_mjd, w.last_mjd),
	alerts = survey_object.alerts + w.alerts,
	detections = max(survey_object.detections, w.detections),
	target_id = coalesce(survey_object.target_id, w.target_id), note = w.note, modified = :now
FROM (SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS ra,
	json_extract(value, '$[2]') AS "dec", json_extract(value, '$[3]') AS first_mjd,
	json_extract(value, '$[4]') AS last_mjd, json_extract(value, '$[5]') AS alerts,
	json_extract(value, '$[6]') AS detections, json_extract(value, '$[7]') AS target_id,
	json_extract(value, '$[8]') AS note FROM json_each(:rows) LIMIT -1 OFFSET 0) AS w
WHERE survey_object.id = w.id
--: objects_seen postgresql
UPDATE survey_object o SET
	ra = CASE WHEN w.last_mjd >= o.last_mjd THEN w.ra ELSE o.ra END,
	"dec" = CASE WHEN w.last_mjd >= o.last_mjd THEN w."dec" ELSE o."dec" END,
	first_mjd = least(o.first_mjd, w.first_mjd),
	last_mjd = greatest(o.last_mjd, w.last_mjd),
	alerts = o.alerts + w.alerts,
	detections = greatest(o.detections, w.detections),
	target_id = coalesce(o.target_id, w.target_id), note = w.note, modified = :now
FROM (SELECT CAST(value ->> 0 AS BIGINT) AS id, CAST(value ->> 1 AS DOUBLE PRECISION) AS ra,
	CAST(value ->> 2 AS DOUBLE PRECISION) AS "dec", CAST(value ->> 3 AS DOUBLE PRECISION) AS first_mjd,
	CAST(value ->> 4 AS DOUBLE PRECISION) AS last_mjd, CAST(value ->> 5 AS BIGINT) AS alerts,
	CAST(value ->> 6 AS BIGINT) AS detections, CAST(value ->> 7 AS BIGINT) AS target_id,
	value ->> 8 AS note FROM json_array_elements(CAST(:rows AS json)) OFFSET 0) AS w
WHERE o.id = w.id
--: objects_seen mariadb
-- A list is JSON here, and what is set later reads what was set before: last_mjd comes last.
UPDATE JSON_TABLE(:rows, '$[*]' COLUMNS (id BIGINT PATH '$[0]', ra DOUBLE PATH '$[1]',
	"dec" DOUBLE PATH '$[2]', first_mjd DOUBLE PATH '$[3]', last_mjd DOUBLE PATH '$[4]',
	alerts BIGINT PATH '$[5]', detections BIGINT PATH '$[6]', target_id BIGINT PATH '$[7]',
	note VARCHAR(100) CHARACTER SET utf8mb4 PATH '$[8]')) w
STRAIGHT_JOIN survey_object o ON o.id = w.id SET
	o.ra = CASE WHEN w.last_mjd >= o.last_mjd THEN w.ra ELSE o.ra END,
	o.dec = CASE WHEN w.last_mjd >= o.last_mjd THEN w.dec ELSE o.dec END,
	o.first_mjd = least(o.first_mjd, w.first_mjd),
	o.alerts = o.alerts + w.alerts,
	o.detections = greatest(o.detections, w.detections),
	o.target_id = coalesce(o.target_id, w.target_id), o.note = w.note, o.modified = :now,
	o.last_mjd = greatest(o.last_mjd, w.last_mjd)

--: alerts_stored sqlite
-- Which of these alerts are there: a JSON array of [object, alert].
SELECT a.object_id, a.alert_id FROM json_each(:pairs) k CROSS JOIN alert a
WHERE a.object_id = json_extract(k.value, '$[0]') AND a.alert_id = json_extract(k.value, '$[1]')
--: alerts_stored postgresql
SELECT a.object_id, a.alert_id FROM json_array_elements(CAST(:pairs AS json)) AS k CROSS JOIN LATERAL (
	SELECT object_id, alert_id FROM alert WHERE object_id = CAST(k.value ->> 0 AS BIGINT)
	AND alert_id = CAST(k.value ->> 1 AS BIGINT) OFFSET 0) AS a
--: alerts_stored mariadb
-- A list is JSON here (db.h), read by JSON_TABLE; the join order is said, since the optimizer
-- does not know its length.
SELECT a.object_id, a.alert_id
FROM JSON_TABLE(:pairs, '$[*]' COLUMNS (object BIGINT PATH '$[0]', alert BIGINT PATH '$[1]')) k
STRAIGHT_JOIN alert a ON a.object_id = k.object AND a.alert_id = k.alert

--: targets_near sqlite
-- The targets in strips of the sky, a JSON array of [number, zone, from, to] (lib/sky/cone.h): who asks
-- measures the distance.
SELECT json_extract(s.value, '$[0]') AS number, t.id, t.ra, t."dec" AS decl
FROM json_each(:strips) s CROSS JOIN target t
WHERE t.zone = json_extract(s.value, '$[1]')
AND t.ra BETWEEN json_extract(s.value, '$[2]') AND json_extract(s.value, '$[3]')
--: targets_near postgresql
SELECT CAST(s.value ->> 0 AS BIGINT) AS number, t.id, t.ra, t.decl
FROM json_array_elements(CAST(:strips AS json)) AS s CROSS JOIN LATERAL (
	SELECT id, ra, "dec" AS decl FROM target WHERE zone = CAST(s.value ->> 1 AS INTEGER)
	AND ra BETWEEN CAST(s.value ->> 2 AS DOUBLE PRECISION) AND CAST(s.value ->> 3 AS DOUBLE PRECISION)
	OFFSET 0) AS t
--: targets_near mariadb
-- A list is JSON here. The bounds are columns of a table: with BETWEEN, or =, the index would give whole
-- zones, tested row by row. Two inequalities on the index that is named make it look for a range for each
-- strip ("range checked for each record"), which costs as much as the strip holds.
SELECT s.number AS number, t.id AS id, t.ra AS ra, t.dec AS decl
FROM JSON_TABLE(:strips, '$[*]' COLUMNS (number BIGINT PATH '$[0]', zone INTEGER PATH '$[1]',
	first DOUBLE PATH '$[2]', last DOUBLE PATH '$[3]')) s
STRAIGHT_JOIN target t FORCE INDEX (target_zone)
	ON t.zone >= s.zone AND t.zone <= s.zone AND t.ra >= s.first AND t.ra <= s.last

--: aliases_indexed sqlite only
-- The index of parts, after aliases of these keys were added in bulk to targets that had names before.
INSERT INTO name_part (rowid, match_key)
SELECT n.id, n.match_key FROM json_each(:keys) k JOIN target_name n ON n.match_key = k.value
--: aliases_indexed mariadb only
-- There is no index of parts: the endings of each name are kept in a table.
INSERT INTO name_part (ending, name_id)
SELECT substr(n.match_key, b.n), n.id
FROM JSON_TABLE(:keys, '$[*]' COLUMNS (match_key VARCHAR(301) CHARACTER SET utf8mb4 PATH '$')) k
STRAIGHT_JOIN target_name n ON n.match_key = k.match_key
STRAIGHT_JOIN name_part_begin b ON b.n <= char_length(n.match_key) - 2

--: aliases_count sqlite
-- How many names beside its own each of these targets has.
SELECT n.target_id, CAST(count(*) AS BIGINT) AS n FROM target_name n
WHERE n.target_id IN (SELECT value FROM json_each(:ids)) AND n.is_primary = 0 GROUP BY n.target_id
--: aliases_count postgresql
SELECT n.target_id, CAST(count(*) AS BIGINT) AS n FROM target_name n
WHERE n.target_id = ANY (CAST(:ids AS BIGINT[])) AND n.is_primary = 0 GROUP BY n.target_id
--: aliases_count mariadb
-- A list is JSON here (db.h), read by JSON_TABLE; the join order is said, since the optimizer
-- does not know its length.
SELECT n.target_id AS target_id, CAST(count(*) AS BIGINT) AS n
FROM JSON_TABLE(:ids, '$[*]' COLUMNS (id BIGINT PATH '$')) k
STRAIGHT_JOIN target_name n ON n.target_id = k.id AND n.is_primary = 0 GROUP BY n.target_id
