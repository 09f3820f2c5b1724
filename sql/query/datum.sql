-- Measurements.

--: datum_stored sqlite
-- What is stored of one source for these targets in a span of time: enough to know each again, and
-- whether it is what its survey says now.
SELECT d.target_id AS target_id, d.kind AS kind, d.band AS band, d.mjd AS mjd,
	d.survey_id AS survey_id, coalesce(d.flux, d.magnitude) AS value,
	coalesce(d.flux_error, d.magnitude_error) AS error
FROM json_each(:targets) AS w CROSS JOIN datum AS d
WHERE d.target_id = w.value AND d.mjd >= :first AND d.mjd < :last AND d.source = :source
--: datum_stored postgresql
-- OFFSET keeps it a look-up a target, whatever the statistics say of a table that grows.
SELECT d.target_id AS target_id, d.kind AS kind, d.band AS band, d.mjd AS mjd,
	d.survey_id AS survey_id, coalesce(d.flux, d.magnitude) AS value,
	coalesce(d.flux_error, d.magnitude_error) AS error
FROM unnest(CAST(:targets AS BIGINT[])) AS w (id) CROSS JOIN LATERAL (
	SELECT target_id, kind, band, mjd, survey_id, flux, flux_error, magnitude, magnitude_error FROM datum
	WHERE target_id = w.id AND mjd >= :first AND mjd < :last AND source = :source
	OFFSET 0) AS d
--: datum_stored mariadb
-- A list is JSON here (db.h), read by JSON_TABLE; the join order is said, since the optimizer
-- does not know its length.
SELECT d.target_id AS target_id, d.kind AS kind, d.band AS band, d.mjd AS mjd,
	d.survey_id AS survey_id, coalesce(d.flux, d.magnitude) AS value,
	coalesce(d.flux_error, d.magnitude_error) AS error
FROM JSON_TABLE(:targets, '$[*]' COLUMNS (id BIGINT PATH '$')) AS w STRAIGHT_JOIN datum AS d
WHERE d.target_id = w.id AND d.mjd >= :first AND d.mjd < :last AND d.source = :source

--: datum_touch sqlite
-- The measurements of these targets, in the order of their ids, have changed.
INSERT INTO datum_revision (target_id, revision)
SELECT value, :now FROM json_each(:targets) WHERE true
ON CONFLICT (target_id) DO UPDATE SET revision = max(revision + 1, excluded.revision)
--: datum_touch postgresql
INSERT INTO datum_revision (target_id, revision)
SELECT w.id, CAST(:now AS BIGINT) FROM unnest(CAST(:targets AS BIGINT[])) AS w (id)
ON CONFLICT (target_id) DO UPDATE
SET revision = GREATEST(datum_revision.revision + 1, excluded.revision)
--: datum_touch mariadb
-- There is no ON CONFLICT here; a list is JSON.
INSERT INTO datum_revision (target_id, revision)
SELECT w.id, :now FROM JSON_TABLE(:targets, '$[*]' COLUMNS (id BIGINT PATH '$')) AS w
ON DUPLICATE KEY UPDATE revision = GREATEST(datum_revision.revision + 1, VALUES(revision))

--: datum_revision_delete
-- Of a target that goes.
DELETE FROM datum_revision WHERE target_id = :target

--: datum_keep_corrected
-- Keeps a measurement as it is, since its survey corrects it.
INSERT INTO datum_correction (target_id, mjd, source, kind, band, survey_id, flux, flux_error, magnitude,
	magnitude_error, limit_mag, sign, created, alert_id, corrected)
SELECT target_id, mjd, source, kind, band, survey_id, flux, flux_error, magnitude, magnitude_error,
	limit_mag, sign, created, CAST(:alert AS BIGINT), CAST(:now AS BIGINT)
FROM datum WHERE target_id = :target AND mjd = :mjd AND source = :source AND kind = :kind
	AND band = :band AND survey_id = :survey_id

--: datum_take_away
-- ... and takes it away, for what counts now.
DELETE FROM datum WHERE target_id = :target AND mjd = :mjd AND source = :source AND kind = :kind
	AND band = :band AND survey_id = :survey_id

--: datum_read
-- The newest measurements of a target in a span of time, the newest first: one walk along the key. What
-- a curve needs, and no column more; and which they are.
SELECT mjd, source, kind, band, sign, magnitude, magnitude_error, limit_mag, flux, flux_error,
	(SELECT revision FROM datum_revision WHERE target_id = :target) AS revision
FROM datum WHERE target_id = :target AND mjd >= :first AND mjd <= :last
ORDER BY mjd DESC, source DESC, kind DESC, band DESC, survey_id DESC
LIMIT :most

--: datum_read_shared sqlite
-- The same of the sources that one of the principals has rights on, which are asked once and not for
-- each row; they have no number.
SELECT mjd, source, kind, band, sign, magnitude, magnitude_error, limit_mag, flux, flux_error,
	CAST(0 AS BIGINT) AS revision
FROM datum WHERE target_id = :target AND mjd >= :first AND mjd <= :last
	AND source IN (SELECT r.source FROM datum_rights r WHERE r.target_id = :target
	AND r.principal IN (SELECT value FROM json_each(:principals)))
ORDER BY mjd DESC, source DESC, kind DESC, band DESC, survey_id DESC
LIMIT :most
--: datum_read_shared postgresql
SELECT mjd, source, kind, band, sign, magnitude, magnitude_error, limit_mag, flux, flux_error,
	CAST(0 AS BIGINT) AS revision
FROM datum WHERE target_id = :target AND mjd >= :first AND mjd <= :last
	AND source = ANY (ARRAY(SELECT r.source FROM datum_rights r WHERE r.target_id = :target
	AND r.principal = ANY (CAST((SELECT CAST(:principals AS TEXT)) AS BIGINT[]))))
ORDER BY mjd DESC, source DESC, kind DESC, band DESC, survey_id DESC
LIMIT :most
--: datum_read_shared mariadb
-- A list is JSON here; JSON_CONTAINS looks into it for each of the few rows of rights.
SELECT mjd, source, kind, band, sign, magnitude, magnitude_error, limit_mag, flux, flux_error,
	CAST(0 AS BIGINT) AS revision
FROM datum d WHERE target_id = :target AND mjd >= :first AND mjd <= :last
	AND EXISTS (SELECT 1 FROM datum_rights r WHERE r.target_id = d.target_id AND r.source = d.source
	AND JSON_CONTAINS(:principals, CAST(r.principal AS CHAR)))
ORDER BY mjd DESC, source DESC, kind DESC, band DESC, survey_id DESC
LIMIT :most

--: datum_first
-- When a target was detected first: along the key, until a detection stands there.
SELECT mjd FROM datum WHERE target_id = :target AND kind = 1
ORDER BY mjd, source
LIMIT 1

--: datum_first_shared sqlite
-- The same of the sources that one of the principals has rights on.
SELECT mjd FROM datum WHERE target_id = :target AND kind = 1
	AND source IN (SELECT r.source FROM datum_rights r WHERE r.target_id = :target
	AND r.principal IN (SELECT value FROM json_each(:principals)))
ORDER BY mjd, source
LIMIT 1
--: datum_first_shared postgresql
SELECT mjd FROM datum WHERE target_id = :target AND kind = 1
	AND source = ANY (ARRAY(SELECT r.source FROM datum_rights r WHERE r.target_id = :target
	AND r.principal = ANY (CAST((SELECT CAST(:principals AS TEXT)) AS BIGINT[]))))
ORDER BY mjd, source
LIMIT 1
--: datum_first_shared mariadb
-- A list is JSON here, as above.
SELECT mjd FROM datum d WHERE target_id = :target AND kind = 1
	AND EXISTS (SELECT 1 FROM datum_rights r WHERE r.target_id = d.target_id AND r.source = d.source
	AND JSON_CONTAINS(:principals, CAST(r.principal AS CHAR)))
ORDER BY mjd, source
LIMIT 1

--: datum_after stream
-- Measurements of a target behind one of them, the oldest first: one walk along the key.
SELECT target_id, mjd, source, kind, band, survey_id, flux, flux_error, magnitude, magnitude_error,
	limit_mag, sign
FROM datum WHERE target_id = :target
	AND (mjd, source, kind, band, survey_id) > (:mjd, :source, :kind, :band, :survey_id)
ORDER BY mjd, source, kind, band, survey_id
LIMIT 1000

--: datum_after_shared sqlite stream
-- The same of the sources that one of the principals has rights on.
SELECT target_id, mjd, source, kind, band, survey_id, flux, flux_error, magnitude, magnitude_error,
	limit_mag, sign
FROM datum WHERE target_id = :target
	AND source IN (SELECT r.source FROM datum_rights r WHERE r.target_id = :target
	AND r.principal IN (SELECT value FROM json_each(:principals)))
	AND (mjd, source, kind, band, survey_id) > (:mjd, :source, :kind, :band, :survey_id)
ORDER BY mjd, source, kind, band, survey_id
LIMIT 1000
--: datum_after_shared postgresql stream
SELECT target_id, mjd, source, kind, band, survey_id, flux, flux_error, magnitude, magnitude_error,
	limit_mag, sign
FROM datum WHERE target_id = :target
	AND source = ANY (ARRAY(SELECT r.source FROM datum_rights r WHERE r.target_id = :target
	AND r.principal = ANY (CAST((SELECT CAST(:principals AS TEXT)) AS BIGINT[]))))
	AND (mjd, source, kind, band, survey_id) > (:mjd, :source, :kind, :band, :survey_id)
ORDER BY mjd, source, kind, band, survey_id
LIMIT 1000
--: datum_after_shared mariadb stream
-- A list is JSON here; JSON_CONTAINS looks into it for each of the few rows of rights.
SELECT target_id, mjd, source, kind, band, survey_id, flux, flux_error, magnitude, magnitude_error,
	limit_mag, sign
FROM datum d WHERE target_id = :target
	AND EXISTS (SELECT 1 FROM datum_rights r WHERE r.target_id = d.target_id AND r.source = d.source
	AND JSON_CONTAINS(:principals, CAST(r.principal AS CHAR)))
	AND (mjd, source, kind, band, survey_id) > (:mjd, :source, :kind, :band, :survey_id)
ORDER BY mjd, source, kind, band, survey_id
LIMIT 1000
