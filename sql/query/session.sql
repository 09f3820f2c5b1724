-- session.sql: who asks, and which site they ask. The token itself is nowhere: its SHA-256 is.

--: site_of_request
-- The sites whose domain is the request's host, with its port or without.
SELECT id FROM site WHERE domain = :host OR domain = :bare

--: session_find
-- The session of a token that did not end, with its user: a row for each of the user's groups, one
-- with NULL where there is none. The password's hash is not read: password_changed is what binds.
SELECT s.created, s.last_seen, s.expires, s.auth_hash, s.factor, s.user_id, u.username, u.first_name,
	u.last_name, u.email, u.is_staff, u.is_superuser, u.password_changed, u.terms_version,
	m.group_id
FROM session s
JOIN users u ON u.id = s.user_id
LEFT JOIN membership m ON m.user_id = s.user_id
WHERE s.token_hash = :token AND s.expires > :now AND u.is_active = 1

--: session_add
INSERT INTO session (token_hash, user_id, created, last_seen, expires, auth_hash, factor, address,
	agent)
VALUES (:token, :user, :now, :now, :expires, :auth_hash, :factor, :address, :agent)

--: session_crowd
-- All of a user's but the newest, and the one that began now, whatever the clock says.
DELETE FROM session WHERE user_id = :user AND token_hash <> :keep AND created < (SELECT MIN(n.created) FROM
	(SELECT created FROM session WHERE user_id = :user ORDER BY created DESC LIMIT :most) n)

--: session_touch
-- Says that it was used; a session that is gone does not come back by it.
UPDATE session SET last_seen = :now WHERE token_hash = :token AND last_seen < :now

--: session_touch postgresql
-- Nor does it wait for a row that another transaction holds.
UPDATE session SET last_seen = :now
WHERE token_hash = (SELECT token_hash FROM session WHERE token_hash = :token AND last_seen < :now
	FOR UPDATE SKIP LOCKED)

--: session_end
DELETE FROM session WHERE token_hash = :token

--: session_end_others
-- All of a user's but one.
DELETE FROM session WHERE user_id = :user AND token_hash <> :keep

--: session_end_of_user
-- One of a user's.
DELETE FROM session WHERE token_hash = :token AND user_id = :user

--: session_end_all
DELETE FROM session

--: session_owner
SELECT s.user_id, u.username FROM session s JOIN users u ON u.id = s.user_id
WHERE s.token_hash = :token

--: session_list_user
-- Those of a user, the newest first.
SELECT s.token_hash, s.user_id, u.username, u.is_staff, u.is_superuser, s.created, s.last_seen,
	s.expires, s.factor, s.address, s.agent
FROM session s JOIN users u ON u.id = s.user_id
WHERE s.user_id = :user AND s.expires > :now AND u.is_active = 1
ORDER BY s.created DESC, s.token_hash DESC LIMIT :limit

--: session_list_all
-- Everybody's, the newest first: those before a place.
SELECT s.token_hash, s.user_id, u.username, u.is_staff, u.is_superuser, s.created, s.last_seen,
	s.expires, s.factor, s.address, s.agent
FROM session s JOIN users u ON u.id = s.user_id
WHERE s.created <= :created AND (s.created < :created OR s.token_hash < :token) AND s.expires > :now
	AND u.is_active = 1
ORDER BY s.created DESC, s.token_hash DESC LIMIT :limit

--: session_purge
-- Those that ended by themselves.
DELETE FROM session WHERE expires <= :now
