-- Scout: objects of the NEO Confirmation Page, their analyses, and the targets behind them.

--: scout_find
-- One object, by its name to the letter.
SELECT * FROM scout_object WHERE name = :name

--: scout_add insert
-- An object that is new in the list.
INSERT INTO scout_object (name, state, designation, sight, first_seen, last_seen, missed, note, last_run,
	ephemeris, ra, "dec", elongation, v_mag, rate, uncertainty, uncertainty_later, abs_mag,
	observations, arc, rms, moid, close_approach, v_inf, rating, neo_score, neo_1km_score,
	pha_score, ieo_score, geocentric_score, tisserand_score)
VALUES (:name, 'active', '', :sight, :now, :now, 0, '', :last_run,
	:ephemeris, :ra, :dec, :elongation, :v_mag, :rate, :uncertainty, :uncertainty_later,
	:abs_mag, :observations, :arc, :rms, :moid, :close_approach, :v_inf, :rating,
	:neo_score, :neo_1km_score, :pha_score, :ieo_score, :geocentric_score, :tisserand_score)

--: scout_seen
-- It is in the list; also where it had left it, or the MPC had said what it was.
UPDATE scout_object SET state = 'active', designation = '', settled = NULL, missed = 0, last_seen = :now,
	sight = :sight WHERE name = :name

--: scout_change
-- What an analysis that is as new or newer says of it.
UPDATE scout_object SET last_run = :last_run,
	ephemeris = :ephemeris, ra = :ra, "dec" = :dec, elongation = :elongation,
	v_mag = :v_mag, rate = :rate, uncertainty = :uncertainty,
	uncertainty_later = :uncertainty_later, abs_mag = :abs_mag,
	observations = :observations, arc = :arc, rms = :rms, moid = :moid,
	close_approach = :close_approach, v_inf = :v_inf, rating = :rating,
	neo_score = :neo_score, neo_1km_score = :neo_1km_score, pha_score = :pha_score,
	ieo_score = :ieo_score, geocentric_score = :geocentric_score,
	tisserand_score = :tisserand_score
WHERE id = :id AND last_run <= :last_run

--: scout_run_add or-nothing
-- An analysis.
INSERT INTO scout_run (object_id, last_run, received,
	ephemeris, ra, "dec", elongation, v_mag, rate, uncertainty, uncertainty_later, abs_mag,
	observations, arc, rms, moid, close_approach, v_inf, rating, neo_score, neo_1km_score,
	pha_score, ieo_score, geocentric_score, tisserand_score)
VALUES (:object, :last_run, :now,
	:ephemeris, :ra, :dec, :elongation, :v_mag, :rate, :uncertainty, :uncertainty_later,
	:abs_mag, :observations, :arc, :rms, :moid, :close_approach, :v_inf, :rating,
	:neo_score, :neo_1km_score, :pha_score, :ieo_score, :geocentric_score, :tisserand_score)

--: scout_missed
-- Who is not in this list.
UPDATE scout_object SET missed = missed + 1 WHERE state = 'active' AND last_seen < :now

--: scout_left
-- Who was missing in so many of them has left the page.
UPDATE scout_object SET state = 'left' WHERE state = 'active' AND missed >= :lists

--: scout_active
-- Those in the list, the most urgent first.
SELECT * FROM scout_object WHERE state = 'active' AND missed = 0
ORDER BY COALESCE(rating, -1) DESC, COALESCE(neo_score, -1) DESC, id

--: scout_belongs
-- Its target, and why it has none.
UPDATE scout_object SET target_id = :target, note = :note WHERE id = :id

--: scout_asked
-- The orbits of an analysis were asked for.
UPDATE scout_object SET asked_run = :last_run, orbits = :orbits, orbit = :orbit WHERE id = :id

--: scout_run_asked
-- The same, in its history.
UPDATE scout_run SET orbits = :orbits, orbit = :orbit WHERE object_id = :id AND last_run = :last_run

--: scout_unsettled
-- Those that left since then, and of which the MPC has not said what they are.
SELECT id, name, target_id FROM scout_object
WHERE state = 'left' AND last_seen >= :since ORDER BY id

--: scout_settle
-- ... and now it has.
UPDATE scout_object SET state = :state, designation = :designation, settled = :now
WHERE id = :id AND state = 'left'

--: scout_shown sqlite
-- The objects that are in the list or were since then, of the asker's audiences, the last seen first, with
-- the names of those targets that they may see. `name`: of that object alone, however old; '': all.
SELECT o.*, t.id AS seen_id, t.name AS seen_name FROM scout_object o
LEFT JOIN target t ON t.id = o.target_id AND (:everything = 1 OR EXISTS (
	SELECT 1 FROM rights r WHERE r.target_id = t.id
	AND r.principal IN (SELECT value FROM json_each(:principals))))
WHERE CASE WHEN :name <> '' THEN o.name = :name ELSE o.last_seen >= :since END
AND (:everything = 1 OR o.sight IN (SELECT m.audience_id FROM audience_member m
	WHERE m.principal IN (SELECT value FROM json_each(:principals))))
ORDER BY o.last_seen DESC, o.id LIMIT 2000
--: scout_shown postgresql
SELECT o.*, t.id AS seen_id, t.name AS seen_name FROM scout_object o
LEFT JOIN target t ON t.id = o.target_id AND (CAST(:everything AS BIGINT) = 1 OR EXISTS (
	SELECT 1 FROM rights r WHERE r.target_id = t.id
	AND r.principal = ANY (CAST((SELECT CAST(:principals AS TEXT)) AS BIGINT[]))))
WHERE CASE WHEN CAST(:name AS TEXT) <> '' THEN o.name = CAST(:name AS TEXT) ELSE o.last_seen >= :since END
AND (CAST(:everything AS BIGINT) = 1 OR o.sight IN (SELECT m.audience_id FROM audience_member m
	WHERE m.principal = ANY (CAST((SELECT CAST(:principals AS TEXT)) AS BIGINT[]))))
ORDER BY o.last_seen DESC, o.id LIMIT 2000
--: scout_shown mariadb
-- A list is JSON here; JSON_CONTAINS looks into it for each of the few rows of rights.
SELECT o.*, t.id AS seen_id, t.name AS seen_name FROM scout_object o
LEFT JOIN target t ON t.id = o.target_id AND (:everything = 1 OR EXISTS (
	SELECT 1 FROM rights r WHERE r.target_id = t.id
	AND JSON_CONTAINS(:principals, CAST(r.principal AS CHAR))))
WHERE CASE WHEN :name <> '' THEN o.name = :name ELSE o.last_seen >= :since END
AND (:everything = 1 OR o.sight IN (SELECT m.audience_id FROM audience_member m
	WHERE JSON_CONTAINS(:principals, CAST(m.principal AS CHAR))))
ORDER BY o.last_seen DESC, o.id LIMIT 2000

--: scout_runs
-- The analyses of an object, the newest first.
SELECT * FROM scout_run WHERE object_id = :object ORDER BY last_run DESC LIMIT 500

--: scout_of_target sqlite
-- The object of Scout that a target is, of the asker's audiences, with its analyses, the newest first; of
-- several objects the one last seen comes first.
SELECT o.name, o.state, o.designation, o.missed, o.first_seen, o.last_seen, r.* FROM scout_object o
JOIN scout_run r ON r.object_id = o.id
WHERE o.target_id = :target AND (:everything = 1 OR o.sight IN (SELECT m.audience_id FROM audience_member m
	WHERE m.principal IN (SELECT value FROM json_each(:principals))))
ORDER BY o.last_seen DESC, o.id, r.last_run DESC LIMIT 6
--: scout_of_target postgresql
SELECT o.name, o.state, o.designation, o.missed, o.first_seen, o.last_seen, r.* FROM scout_object o
JOIN scout_run r ON r.object_id = o.id
WHERE o.target_id = :target AND (CAST(:everything AS BIGINT) = 1 OR o.sight IN (
	SELECT m.audience_id FROM audience_member m
	WHERE m.principal = ANY (CAST((SELECT CAST(:principals AS TEXT)) AS BIGINT[]))))
ORDER BY o.last_seen DESC, o.id, r.last_run DESC LIMIT 6
--: scout_of_target mariadb
-- A list is JSON here, looked into for each of the few members of the object's audience.
SELECT o.name, o.state, o.designation, o.missed, o.first_seen, o.last_seen, r.* FROM scout_object o
JOIN scout_run r ON r.object_id = o.id
WHERE o.target_id = :target AND (:everything = 1 OR o.sight IN (SELECT m.audience_id FROM audience_member m
	WHERE JSON_CONTAINS(:principals, CAST(m.principal AS CHAR))))
ORDER BY o.last_seen DESC, o.id, r.last_run DESC LIMIT 6
