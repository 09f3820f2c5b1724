-- factor.sql: second factors, their recovery codes, and what is sealed.

--: factor_find
-- A user's factor, and how many of their recovery codes are left.
SELECT f.secret, f.created, f.last_step, f.failures, f.retry_at,
	(SELECT CAST(count(*) AS BIGINT) FROM recovery_code c
		WHERE c.user_id = f.user_id AND c.used IS NULL) AS codes_left
FROM factor f WHERE f.user_id = :user

--: factor_there
-- Asked with the user held: a factor that came meanwhile is seen.
SELECT user_id FROM factor WHERE user_id = :user

--: factor_add or-nothing
-- Unless they have one. Its first code is used by proving it.
INSERT INTO factor (user_id, secret, created, last_step) VALUES (:user, :secret, :now, :step)

--: factor_charge
-- Counts a code as wrong before it is looked at, unless another was meanwhile or it is too early: so
-- guesses that come at once are one after another.
UPDATE factor SET failures = failures + 1, retry_at = :next
WHERE user_id = :user AND failures = :seen AND retry_at <= :now

--: factor_use
-- It was right, unless its step was used: of two who show the same code one passes.
UPDATE factor SET last_step = :step, failures = 0, retry_at = 0
WHERE user_id = :user AND last_step < :step

--: factor_forgive
-- A recovery code was right: what was counted is over.
UPDATE factor SET failures = 0, retry_at = 0 WHERE user_id = :user

--: factor_remove
DELETE FROM factor WHERE user_id = :user

--: factor_sealed
-- The keys after a user's, for sealing them anew.
SELECT user_id, secret FROM factor WHERE user_id > :after ORDER BY user_id LIMIT :limit

--: factor_reseal
-- Unless it was changed or taken away meanwhile.
UPDATE factor SET secret = :new WHERE user_id = :user AND secret = :old

--: factor_missing
-- Active superusers who have no factor.
SELECT u.username FROM users u
WHERE u.is_superuser = 1 AND u.is_active = 1
	AND NOT EXISTS (SELECT 1 FROM factor f WHERE f.user_id = u.id)
ORDER BY u.username LIMIT :limit

--: factor_owner
-- Whose codes are asked: nobody's whose password was changed since it was right.
SELECT username, email, is_staff, is_superuser FROM users
WHERE id = :id AND is_active = 1 AND password_changed = :password_changed

--: recovery_add
INSERT INTO recovery_code (user_id, code_hash) VALUES (:user, :hash)

--: recovery_use
UPDATE recovery_code SET used = :now WHERE user_id = :user AND code_hash = :hash AND used IS NULL

--: recovery_remove
DELETE FROM recovery_code WHERE user_id = :user
