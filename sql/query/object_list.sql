-- The objects of surveys, and the alerts behind them, for pages.

--: object_surveys
-- The surveys that there are objects of. (Each is found by one step into the index of names.)
WITH RECURSIVE s (survey) AS (
	SELECT min(survey) FROM survey_object WHERE survey > ''
	UNION ALL
	SELECT (SELECT min(o.survey) FROM survey_object o WHERE o.survey > s.survey) FROM s
	WHERE s.survey IS NOT NULL)
SELECT survey FROM s WHERE survey IS NOT NULL ORDER BY survey

--: objects_newest
-- The newest objects before one.
SELECT id, survey, name, ra, "dec" AS decl, first_mjd, last_mjd, alerts, detections, created, note, target_id, sight, closed
FROM survey_object WHERE id < :before ORDER BY id DESC LIMIT :limit

--: objects_newest_of
-- ... of one survey.
SELECT id, survey, name, ra, "dec" AS decl, first_mjd, last_mjd, alerts, detections, created, note, target_id, sight, closed
FROM survey_object WHERE survey = :survey AND id < :before ORDER BY id DESC LIMIT :limit
--: objects_newest_of postgresql
-- Written as a range of the index: with the survey a constant, the key would do for the order as well, and
-- be walked over all other surveys.
SELECT id, survey, name, ra, "dec" AS decl, first_mjd, last_mjd, alerts, detections, created, note, target_id, sight, closed
FROM survey_object WHERE survey >= :survey AND (survey, id) < (:survey, :before)
ORDER BY survey DESC, id DESC LIMIT :limit
--: objects_newest_of mariadb
-- Told which index: it would as soon walk the key and pass over other surveys.
SELECT id, survey, name, ra, "dec" AS decl, first_mjd, last_mjd, alerts, detections, created, note, target_id, sight, closed
FROM survey_object FORCE INDEX (survey_object_survey)
WHERE survey = :survey AND id < :before ORDER BY id DESC LIMIT :limit

--: objects_by_name
-- Objects of a survey by name, in a range of names and after one; of one name in the order of their audiences.
SELECT id, survey, name, ra, "dec" AS decl, first_mjd, last_mjd, alerts, detections, created, note, target_id, sight, closed
FROM survey_object WHERE survey = :survey AND name >= :from AND name < :to
	AND (name, sight) > (:after, :after_sight)
ORDER BY name, sight LIMIT :limit

--: objects_in_cone sqlite
-- The newest objects of some squares before one, within a haversine (lib/sky/cone.h).
SELECT o.id, o.survey, o.name, o.ra, o."dec" AS decl, o.first_mjd, o.last_mjd, o.alerts, o.detections, o.created, o.note, o.target_id, o.sight, o.closed
FROM json_each(:cells) c CROSS JOIN survey_object o
WHERE o.cell = c.value AND o.id < :before AND (:survey = '' OR o.survey = :survey)
AND (sin(radians((o.dec - :dec) / 2)) * sin(radians((o.dec - :dec) / 2))
+ cos(radians(o.dec)) * :cosine * sin(radians((o.ra - :ra) / 2)) * sin(radians((o.ra - :ra) / 2)))
<= :distance ORDER BY o.id DESC LIMIT :limit
--: objects_in_cone postgresql
SELECT o.id, o.survey, o.name, o.ra, o."dec" AS decl, o.first_mjd, o.last_mjd, o.alerts, o.detections, o.created, o.note, o.target_id, o.sight, o.closed
FROM unnest(CAST((SELECT CAST(:cells AS TEXT)) AS BIGINT[])) AS c (cell) CROSS JOIN LATERAL (
	SELECT * FROM survey_object WHERE cell = c.cell AND id < :before OFFSET 0) AS o
WHERE (CAST(:survey AS TEXT) = '' OR o.survey = :survey)
AND (sin(radians((o.dec - :dec) / 2)) * sin(radians((o.dec - :dec) / 2))
+ cos(radians(o.dec)) * :cosine * sin(radians((o.ra - :ra) / 2)) * sin(radians((o.ra - :ra) / 2)))
<= :distance ORDER BY o.id DESC LIMIT :limit
--: objects_in_cone mariadb
-- A list is JSON here (db.h), read by JSON_TABLE; the join order is said, since the optimizer
-- does not know its length.
SELECT o.id, o.survey, o.name, o.ra, o.dec AS decl, o.first_mjd, o.last_mjd, o.alerts, o.detections, o.created, o.note, o.target_id, o.sight, o.closed
FROM JSON_TABLE(:cells, '$[*]' COLUMNS (cell INTEGER PATH '$')) c
STRAIGHT_JOIN survey_object o FORCE INDEX (survey_object_cell) ON o.cell = c.cell
WHERE o.id < :before AND (:survey = '' OR o.survey = :survey)
AND (sin(radians((o.dec - :dec) / 2)) * sin(radians((o.dec - :dec) / 2))
+ cos(radians(o.dec)) * :cosine * sin(radians((o.ra - :ra) / 2)) * sin(radians((o.ra - :ra) / 2)))
<= :distance ORDER BY o.id DESC LIMIT :limit

--: object_by_name
-- The objects of a name, the last seen first: one an audience.
SELECT id, survey, name, ra, "dec" AS decl, first_mjd, last_mjd, alerts, detections, created, note, target_id, sight, closed
FROM survey_object WHERE survey = :survey AND name = :name ORDER BY last_mjd DESC, id

--: object_targets sqlite
-- Those of some targets that the asker may see (`everything`: a superuser asks).
SELECT t.id, t.name FROM json_each(:ids) j CROSS JOIN target t
WHERE t.id = j.value AND (:everything = 1 OR EXISTS (SELECT 1 FROM rights r WHERE r.target_id = t.id
	AND r.principal IN (SELECT value FROM json_each(:principals))))
--: object_targets postgresql
SELECT t.id, t.name FROM target t WHERE t.id = ANY (CAST((SELECT CAST(:ids AS TEXT)) AS BIGINT[]))
AND ((SELECT CAST(:everything AS BIGINT)) = 1 OR EXISTS (SELECT 1 FROM rights r WHERE r.target_id = t.id
	AND r.principal = ANY (CAST((SELECT CAST(:principals AS TEXT)) AS BIGINT[]))))
--: object_targets mariadb
-- A list is JSON here, read by JSON_TABLE first; JSON_CONTAINS looks into one for each of the few rows of
-- rights.
SELECT t.id AS id, t.name AS name FROM JSON_TABLE(:ids, '$[*]' COLUMNS (id BIGINT PATH '$')) j
STRAIGHT_JOIN target t ON t.id = j.id
WHERE (:everything = 1 OR EXISTS (SELECT 1 FROM rights r WHERE r.target_id = t.id
	AND JSON_CONTAINS(:principals, CAST(r.principal AS CHAR))))

--: object_sources sqlite
-- On the measurements of which sources of some targets one of the principals has rights.
SELECT r.target_id, r.source FROM json_each(:ids) j CROSS JOIN datum_rights r
WHERE r.target_id = j.value AND r.principal IN (SELECT value FROM json_each(:principals))
--: object_sources postgresql
SELECT r.target_id, r.source FROM datum_rights r
WHERE r.target_id = ANY (CAST((SELECT CAST(:ids AS TEXT)) AS BIGINT[]))
AND r.principal = ANY (CAST((SELECT CAST(:principals AS TEXT)) AS BIGINT[]))
--: object_sources mariadb
-- As above.
SELECT r.target_id AS target_id, r.source AS source
FROM JSON_TABLE(:ids, '$[*]' COLUMNS (id BIGINT PATH '$')) j
STRAIGHT_JOIN datum_rights r ON r.target_id = j.id
WHERE JSON_CONTAINS(:principals, CAST(r.principal AS CHAR))

--: alerts_of_object
-- The newest alerts of an object before a place.
SELECT alert_id, mjd, stream, received FROM alert
WHERE object_id = :object AND (mjd, alert_id) < (:mjd, :alert)
ORDER BY mjd DESC, alert_id DESC LIMIT :limit

--: objects_of_target sqlite
-- The objects of a target: where one of the principals may see the target, those of their audiences
-- (`superuser`: all), of surveys on whose measurements of it one of them has rights (`everything`: all).
SELECT o.id, o.survey, o.name, o.ra, o."dec" AS decl, o.first_mjd, o.last_mjd, o.alerts, o.detections,
	o.created, o.note, o.target_id, o.sight, o.closed
FROM survey_object o WHERE o.target_id = :target AND (:everything = 1 OR EXISTS (SELECT 1 FROM datum_rights r WHERE r.target_id = o.target_id
	AND r.source = o.survey AND r.principal IN (SELECT value FROM json_each(:principals))))
	AND (:superuser = 1 OR (EXISTS (SELECT 1 FROM rights t WHERE t.target_id = :target AND t.principal IN (SELECT value FROM json_each(:principals)))
	AND o.sight IN (SELECT m.audience_id FROM audience_member m WHERE m.principal IN (SELECT value FROM json_each(:principals)))))
ORDER BY o.survey, o.name LIMIT :limit
--: objects_of_target postgresql
SELECT o.id, o.survey, o.name, o.ra, o."dec" AS decl, o.first_mjd, o.last_mjd, o.alerts, o.detections,
	o.created, o.note, o.target_id, o.sight, o.closed
FROM survey_object o WHERE o.target_id = :target AND ((SELECT CAST(:everything AS BIGINT)) = 1 OR EXISTS (SELECT 1 FROM datum_rights r WHERE r.target_id = o.target_id
	AND r.source = o.survey AND r.principal = ANY (CAST((SELECT CAST(:principals AS TEXT)) AS BIGINT[]))))
	AND ((SELECT CAST(:superuser AS BIGINT)) = 1 OR (EXISTS (SELECT 1 FROM rights t WHERE t.target_id = :target AND t.principal = ANY (CAST((SELECT CAST(:principals AS TEXT)) AS BIGINT[])))
	AND o.sight IN (SELECT m.audience_id FROM audience_member m WHERE m.principal = ANY (CAST((SELECT CAST(:principals AS TEXT)) AS BIGINT[])))))
ORDER BY o.survey, o.name LIMIT :limit
--: objects_of_target mariadb
-- A list is JSON here; JSON_CONTAINS looks into it for each of the few rows of rights.
SELECT o.id, o.survey, o.name, o.ra, o."dec" AS decl, o.first_mjd, o.last_mjd, o.alerts, o.detections,
	o.created, o.note, o.target_id, o.sight, o.closed
FROM survey_object o WHERE o.target_id = :target AND (:everything = 1 OR EXISTS (SELECT 1 FROM datum_rights r WHERE r.target_id = o.target_id
	AND r.source = o.survey AND JSON_CONTAINS(:principals, CAST(r.principal AS CHAR))))
	AND (:superuser = 1 OR (EXISTS (SELECT 1 FROM rights t WHERE t.target_id = :target AND JSON_CONTAINS(:principals, CAST(t.principal AS CHAR)))
	AND o.sight IN (SELECT m.audience_id FROM audience_member m WHERE JSON_CONTAINS(:principals, CAST(m.principal AS CHAR)))))
ORDER BY o.survey, o.name LIMIT :limit

--: alerts_of_target sqlite
-- The newest alerts of such objects before a place: surveys may have the same numbers.
SELECT o.survey, o.name, a.object_id, a.alert_id, a.mjd, a.stream, a.received
FROM survey_object o JOIN alert a ON a.object_id = o.id
WHERE o.target_id = :target AND (:everything = 1 OR EXISTS (SELECT 1 FROM datum_rights r WHERE r.target_id = o.target_id
	AND r.source = o.survey AND r.principal IN (SELECT value FROM json_each(:principals))))
	AND (:superuser = 1 OR (EXISTS (SELECT 1 FROM rights t WHERE t.target_id = :target AND t.principal IN (SELECT value FROM json_each(:principals)))
	AND o.sight IN (SELECT m.audience_id FROM audience_member m WHERE m.principal IN (SELECT value FROM json_each(:principals)))))
	AND (a.mjd < :mjd OR (a.mjd = :mjd AND (a.alert_id, a.object_id) < (:alert, :object)))
ORDER BY a.mjd DESC, a.alert_id DESC, a.object_id DESC LIMIT :limit
--: alerts_of_target postgresql
SELECT o.survey, o.name, a.object_id, a.alert_id, a.mjd, a.stream, a.received
FROM survey_object o JOIN alert a ON a.object_id = o.id
WHERE o.target_id = :target AND ((SELECT CAST(:everything AS BIGINT)) = 1 OR EXISTS (SELECT 1 FROM datum_rights r WHERE r.target_id = o.target_id
	AND r.source = o.survey AND r.principal = ANY (CAST((SELECT CAST(:principals AS TEXT)) AS BIGINT[]))))
	AND ((SELECT CAST(:superuser AS BIGINT)) = 1 OR (EXISTS (SELECT 1 FROM rights t WHERE t.target_id = :target AND t.principal = ANY (CAST((SELECT CAST(:principals AS TEXT)) AS BIGINT[])))
	AND o.sight IN (SELECT m.audience_id FROM audience_member m WHERE m.principal = ANY (CAST((SELECT CAST(:principals AS TEXT)) AS BIGINT[])))))
	AND (a.mjd < :mjd OR (a.mjd = :mjd AND (a.alert_id, a.object_id) < (:alert, :object)))
ORDER BY a.mjd DESC, a.alert_id DESC, a.object_id DESC LIMIT :limit
--: alerts_of_target mariadb
-- A list is JSON here; JSON_CONTAINS looks into it for each of the few rows of rights.
SELECT o.survey, o.name, a.object_id, a.alert_id, a.mjd, a.stream, a.received
FROM survey_object o JOIN alert a ON a.object_id = o.id
WHERE o.target_id = :target AND (:everything = 1 OR EXISTS (SELECT 1 FROM datum_rights r WHERE r.target_id = o.target_id
	AND r.source = o.survey AND JSON_CONTAINS(:principals, CAST(r.principal AS CHAR))))
	AND (:superuser = 1 OR (EXISTS (SELECT 1 FROM rights t WHERE t.target_id = :target AND JSON_CONTAINS(:principals, CAST(t.principal AS CHAR)))
	AND o.sight IN (SELECT m.audience_id FROM audience_member m WHERE JSON_CONTAINS(:principals, CAST(m.principal AS CHAR)))))
	AND (a.mjd < :mjd OR (a.mjd = :mjd AND (a.alert_id, a.object_id) < (:alert, :object)))
ORDER BY a.mjd DESC, a.alert_id DESC, a.object_id DESC LIMIT :limit

--: objects_count sqlite
-- How many such objects and alerts are behind a target.
SELECT CAST(count(*) AS BIGINT) AS objects, CAST(COALESCE(sum(o.alerts), 0) AS BIGINT) AS alerts
FROM survey_object o WHERE o.target_id = :target AND (:everything = 1 OR EXISTS (SELECT 1 FROM datum_rights r WHERE r.target_id = o.target_id
	AND r.source = o.survey AND r.principal IN (SELECT value FROM json_each(:principals))))
	AND (:superuser = 1 OR (EXISTS (SELECT 1 FROM rights t WHERE t.target_id = :target AND t.principal IN (SELECT value FROM json_each(:principals)))
	AND o.sight IN (SELECT m.audience_id FROM audience_member m WHERE m.principal IN (SELECT value FROM json_each(:principals)))))
--: objects_count postgresql
SELECT CAST(count(*) AS BIGINT) AS objects, CAST(COALESCE(sum(o.alerts), 0) AS BIGINT) AS alerts
FROM survey_object o WHERE o.target_id = :target AND ((SELECT CAST(:everything AS BIGINT)) = 1 OR EXISTS (SELECT 1 FROM datum_rights r WHERE r.target_id = o.target_id
	AND r.source = o.survey AND r.principal = ANY (CAST((SELECT CAST(:principals AS TEXT)) AS BIGINT[]))))
	AND ((SELECT CAST(:superuser AS BIGINT)) = 1 OR (EXISTS (SELECT 1 FROM rights t WHERE t.target_id = :target AND t.principal = ANY (CAST((SELECT CAST(:principals AS TEXT)) AS BIGINT[])))
	AND o.sight IN (SELECT m.audience_id FROM audience_member m WHERE m.principal = ANY (CAST((SELECT CAST(:principals AS TEXT)) AS BIGINT[])))))
--: objects_count mariadb
-- A list is JSON here; JSON_CONTAINS looks into it for each of the few rows of rights.
SELECT CAST(count(*) AS BIGINT) AS objects, CAST(COALESCE(sum(o.alerts), 0) AS BIGINT) AS alerts
FROM survey_object o WHERE o.target_id = :target AND (:everything = 1 OR EXISTS (SELECT 1 FROM datum_rights r WHERE r.target_id = o.target_id
	AND r.source = o.survey AND JSON_CONTAINS(:principals, CAST(r.principal AS CHAR))))
	AND (:superuser = 1 OR (EXISTS (SELECT 1 FROM rights t WHERE t.target_id = :target AND JSON_CONTAINS(:principals, CAST(t.principal AS CHAR)))
	AND o.sight IN (SELECT m.audience_id FROM audience_member m WHERE JSON_CONTAINS(:principals, CAST(m.principal AS CHAR)))))
