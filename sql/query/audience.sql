-- Audiences: who may see what streams bring (lib/tom/audience.h).

--: audience_find
-- The number of a set of principals.
SELECT id FROM audience WHERE members = :members

--: audience_add or-nothing
-- One that is new.
INSERT INTO audience (members) VALUES (:members)

--: audience_member_add or-nothing
-- ... and who is of it.
INSERT INTO audience_member (principal, audience_id) VALUES (:principal, :audience)

--: audiences_of sqlite
-- Those that one of the principals is of.
SELECT DISTINCT audience_id FROM audience_member
WHERE principal IN (SELECT value FROM json_each(:principals))
--: audiences_of postgresql
SELECT DISTINCT audience_id FROM audience_member
WHERE principal = ANY (CAST((SELECT CAST(:principals AS TEXT)) AS BIGINT[]))
--: audiences_of mariadb
-- A list is JSON here (db.h), read by JSON_TABLE; the join order is said, since the optimizer
-- does not know its length.
SELECT DISTINCT m.audience_id AS audience_id
FROM JSON_TABLE(:principals, '$[*]' COLUMNS (id BIGINT PATH '$')) p
STRAIGHT_JOIN audience_member m ON m.principal = p.id

--: audience_left
-- Before a user or a group goes: the sets that it is of are found no more.
UPDATE audience SET members = 'gone ' || id
WHERE id IN (SELECT audience_id FROM audience_member WHERE principal = :principal)

--: audience_forget
-- ... and it is of none: no row may stay for who gets its number.
DELETE FROM audience_member WHERE principal = :principal

--: audience_keep
-- Before a target is deleted: its objects are closed whose audience did not see all of it, or (`own`) not
-- its measurements.
UPDATE survey_object SET closed = CASE WHEN EXISTS (
	SELECT 1 FROM audience_member m WHERE m.audience_id = survey_object.sight AND NOT EXISTS (
		SELECT 1 FROM rights r WHERE r.target_id = :target
		AND (r.principal = m.principal OR r.principal IN (1, 2))))
	OR (:own = 1 AND EXISTS (
	SELECT 1 FROM audience_member m WHERE m.audience_id = survey_object.sight AND NOT EXISTS (
		SELECT 1 FROM datum_rights r WHERE r.target_id = :target AND r.source = survey_object.survey
		AND (r.principal = m.principal OR r.principal IN (1, 2)))))
	THEN 1 ELSE 0 END
WHERE target_id = :target

--: audience_rights sqlite
-- Who has rights on some targets, and (of_data 1) on their measurements of a source; of users, whether
-- they are of one of the groups, or superusers.
SELECT r.target_id AS target_id, r.of_data AS of_data, r.principal AS principal,
	CASE WHEN r.principal % 16 = 0 AND (
		EXISTS (SELECT 1 FROM users u WHERE u.id = r.principal >> 4 AND u.is_superuser = 1)
		OR EXISTS (SELECT 1 FROM membership x WHERE x.user_id = r.principal >> 4
			AND x.group_id IN (SELECT value FROM json_each(:groups)))) THEN 1 ELSE 0 END AS is_of_it
FROM (
	SELECT target_id, 0 AS of_data, principal FROM rights WHERE target_id IN (SELECT value FROM json_each(:targets))
	UNION ALL
	SELECT target_id, 1, principal FROM datum_rights WHERE target_id IN (SELECT value FROM json_each(:targets)) AND source = :source) r
--: audience_rights postgresql
SELECT r.target_id AS target_id, r.of_data AS of_data, r.principal AS principal,
	CASE WHEN r.principal % 16 = 0 AND (
		EXISTS (SELECT 1 FROM users u WHERE u.id = r.principal >> 4 AND u.is_superuser = 1)
		OR EXISTS (SELECT 1 FROM membership x WHERE x.user_id = r.principal >> 4
			AND x.group_id = ANY (CAST(:groups AS BIGINT[])))) THEN 1 ELSE 0 END AS is_of_it
FROM (
	SELECT target_id, 0 AS of_data, principal FROM rights WHERE target_id = ANY (CAST(:targets AS BIGINT[]))
	UNION ALL
	SELECT target_id, 1, principal FROM datum_rights WHERE target_id = ANY (CAST(:targets AS BIGINT[])) AND source = :source) r
--: audience_rights mariadb
-- A list is JSON here (db.h), read by JSON_TABLE; the join order is said, since the optimizer
-- does not know its length.
SELECT r.target_id AS target_id, r.of_data AS of_data, r.principal AS principal,
	CASE WHEN r.principal % 16 = 0 AND (
		EXISTS (SELECT 1 FROM users u WHERE u.id = r.principal >> 4 AND u.is_superuser = 1)
		OR EXISTS (SELECT 1 FROM membership x WHERE x.user_id = r.principal >> 4
			AND JSON_CONTAINS(:groups, CAST(x.group_id AS CHAR)))) THEN 1 ELSE 0 END AS is_of_it
FROM (
	SELECT t.target_id, 0 AS of_data, t.principal
	FROM JSON_TABLE(:targets, '$[*]' COLUMNS (id BIGINT PATH '$')) j STRAIGHT_JOIN rights t ON t.target_id = j.id
	UNION ALL
	SELECT d.target_id, 1, d.principal
	FROM JSON_TABLE(:targets, '$[*]' COLUMNS (id BIGINT PATH '$')) j STRAIGHT_JOIN datum_rights d ON d.target_id = j.id AND d.source = :source) r
