-- token.sql: API tokens. The text of one is nowhere: its SHA-256 is.

--: token_find
-- A token with its user, good or not: a row for each of the user's groups, one with NULL where there
-- is none.
SELECT t.id, t.name, t.scopes, t.created, t.expires, t.last_used, t.automatic, t.user_id,
	u.username, u.first_name, u.last_name, u.email, u.is_staff, u.is_superuser, u.is_active,
	u.terms_version, m.group_id
FROM api_token t
JOIN users u ON u.id = t.user_id
LEFT JOIN membership m ON m.user_id = t.user_id
WHERE t.token_hash = :token

--: token_touch
-- Says that it was used; a token that is gone does not come back by it.
UPDATE api_token SET last_used = :now WHERE id = :id AND (last_used IS NULL OR last_used < :now)

--: token_touch postgresql
-- Nor does it wait for a row that another transaction holds.
UPDATE api_token SET last_used = :now
WHERE id = (SELECT id FROM api_token
	WHERE id = :id AND (last_used IS NULL OR last_used < :now) FOR UPDATE SKIP LOCKED)

--: token_add insert
INSERT INTO api_token (user_id, name, token_hash, scopes, created, expires, automatic)
VALUES (:user, :name, :token, :scopes, :now, :expires, :automatic)

--: token_list
-- A user's, the newest first.
SELECT id, user_id, name, scopes, created, expires, last_used, automatic FROM api_token
WHERE user_id = :user ORDER BY created DESC, id DESC

--: token_count
SELECT CAST(count(*) AS BIGINT) AS n FROM api_token WHERE user_id = :user

--: token_get
SELECT name FROM api_token WHERE id = :id AND user_id = :user

--: token_revoke
DELETE FROM api_token WHERE id = :id AND user_id = :user

--: token_revoke_name
DELETE FROM api_token WHERE name = :name AND user_id = :user

--: token_end_automatic
-- Those that a password got which is good no more, or not alone.
DELETE FROM api_token WHERE user_id = :user AND automatic = 1

--: token_revoke_all
DELETE FROM api_token WHERE user_id = :user
