-- registration.sql: accounts that people make for themselves, until they are let in.

--: registration_add insert
-- It may not sign in yet.
INSERT INTO users (username, name_key, search_key, password, first_name, last_name, email, affiliation, is_active, created,
	password_changed, pending, terms_version, terms_accepted)
VALUES (:username, :name_key, :search_key, :password, :first_name, :last_name, :email, :affiliation, 0, :now, :now, 1, :terms,
	:accepted)

--: registration_purge
-- Those whose address was not confirmed in time.
DELETE FROM users
WHERE pending = 1 AND email_verified IS NULL AND is_active = 0 AND created < :before

--: registration_verify
-- The address is theirs; they are let in, or wait for staff (:pending).
UPDATE users SET email_verified = :now, pending = :pending, is_active = :active
WHERE id = :id AND pending = 1

--: registration_list
-- Who waits for staff.
SELECT id, username, first_name, last_name, email, affiliation, is_active, is_staff, is_superuser,
	created, last_login, password_changed
FROM users WHERE pending = 1 AND email_verified IS NOT NULL ORDER BY created, id LIMIT :limit

--: registration_get
SELECT id, username, first_name, last_name, email, affiliation, is_active, is_staff, is_superuser,
	created, last_login, password_changed
FROM users WHERE id = :id AND pending = 1 AND email_verified IS NOT NULL

--: registration_approve
UPDATE users SET is_active = 1, pending = 0
WHERE id = :id AND pending = 1 AND email_verified IS NOT NULL

--: registration_refuse
-- It is as one that was not confirmed in time: the next purge removes it. It never was let in, so
-- nothing is theirs.
UPDATE users SET email_verified = NULL, created = 0, search_key = '', first_name = '', last_name = '', email = '',
	affiliation = ''
WHERE id = :id AND pending = 1 AND email_verified IS NOT NULL

--: registration_staff
-- Whom to tell that somebody waits.
SELECT email FROM users WHERE is_active = 1 AND (is_staff = 1 OR is_superuser = 1) AND email <> ''
ORDER BY id LIMIT 20

--: user_to_reset
-- Whose password a name or an address may be; nobody whose account has none (Django's "!...").
SELECT id, username, email, password_changed FROM users
WHERE (username = :username OR lower(email) = :email) AND is_active = 1 AND pending = 0
	AND email <> '' AND password NOT LIKE '!%'
ORDER BY id LIMIT 10
--: user_to_reset mariadb
-- (there is no index on an expression)
SELECT id, username, email, password_changed FROM users
WHERE (username = :username OR email_key = :email) AND is_active = 1 AND pending = 0
	AND email <> '' AND password NOT LIKE '!%'
ORDER BY id LIMIT 10
