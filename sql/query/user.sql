-- user.sql: accounts. Only user_password and the statements that write reach the password's hash.

--: user_password
-- What signing in needs.
SELECT id, password, password_changed, is_active FROM users WHERE username = :username

--: user_rehash
-- The same password hashed anew, unless it was changed meanwhile.
UPDATE users SET password = :new WHERE id = :id AND password = :old

--: user_binding
-- Who gets a new session or a token: nobody whose password was changed since it was checked. Held, so
-- that who disables them, or gives them a second factor, comes before or after.
SELECT is_staff, is_superuser FROM users
WHERE id = :id AND is_active = 1 AND password_changed = :password_changed FOR UPDATE
--: user_binding sqlite
SELECT is_staff, is_superuser FROM users
WHERE id = :id AND is_active = 1 AND password_changed = :password_changed

--: user_signed_in
UPDATE users SET last_login = :now WHERE id = :id

--: user_add insert
INSERT INTO users (username, name_key, search_key, password, first_name, last_name, email, affiliation, is_active,
	is_staff, is_superuser, created, password_changed)
VALUES (:username, :name_key, :search_key, :password, :first_name, :last_name, :email, :affiliation, 1, :is_staff,
	:is_superuser, :now, :now)

--: user_set_password
-- Unless another one was set since the account was read.
UPDATE users SET password = :password, password_changed = :now
WHERE id = :id AND password_changed = :before

--: user_superusers_lock
-- The active superusers, locked: two who would make one less see one after the other who is left.
SELECT id FROM users WHERE is_superuser = 1 AND is_active = 1 ORDER BY id FOR UPDATE
--: user_superusers_lock sqlite
-- (who writes there holds the whole database)
SELECT id FROM users WHERE is_superuser = 1 AND is_active = 1 ORDER BY id

--: user_lock
-- Before an account is changed: who comes second sees what the first has made of it.
SELECT id, username, first_name, last_name, email, affiliation, is_active, is_staff, is_superuser,
	created, last_login, password_changed
FROM users WHERE id = :id FOR UPDATE
--: user_lock sqlite
SELECT id, username, first_name, last_name, email, affiliation, is_active, is_staff, is_superuser,
	created, last_login, password_changed
FROM users WHERE id = :id

--: user_change
-- Address and name are compared before they are set: MariaDB sets columns one after the other. Who is
-- let in waits no longer. The key of a name that stays stays: two who were alike elsewhere keep theirs.
UPDATE users SET pending = CASE WHEN CAST(:is_active AS BIGINT) = 1 THEN 0 ELSE pending END,
	email_verified = CASE WHEN email = :email THEN email_verified ELSE NULL END,
	name_key = CASE WHEN username = :username THEN name_key ELSE :name_key END,
	username = :username, search_key = :search_key, first_name = :first_name,
	last_name = :last_name, email = :email, affiliation = :affiliation, is_active = :is_active,
	is_staff = :is_staff, is_superuser = :is_superuser
WHERE id = :id

--: user_set_address
-- Its owner followed the link that was sent there.
UPDATE users SET email = :email, email_verified = :now WHERE id = :id

--: user_void_links
-- Links that were sent to an address that is theirs no more.
DELETE FROM one_time WHERE user_id = :user

--: user_former_add or-nothing
-- Who keeps what deleted users made. No password fits '!'.
INSERT INTO users (username, name_key, search_key, password, is_active, created, password_changed)
VALUES ('former user', 'former user', 'former user', '!', 0, :now, :now)

--: user_former
SELECT id FROM users WHERE username = 'former user'

--: user_hand_over_targets
UPDATE target SET creator_id = :to WHERE creator_id = :from

--: user_count_targets
SELECT CAST(count(*) AS BIGINT) AS n
FROM (SELECT 1 AS one FROM target WHERE creator_id = :user LIMIT :limit) t

--: user_delete
-- An account and, by its foreign keys, sessions, tokens, second factor, memberships.
DELETE FROM users WHERE id = :user

--: user_accept_terms
UPDATE users SET terms_version = :version, terms_accepted = :now WHERE id = :id

--: user_by_name
SELECT id, username, first_name, last_name, email, affiliation, is_active, is_staff, is_superuser,
	created, last_login, password_changed
FROM users WHERE username = :username

--: user_get
SELECT id, username, first_name, last_name, email, affiliation, is_active, is_staff, is_superuser,
	created, last_login, password_changed
FROM users WHERE id = :id

--: user_alike
-- Somebody else whose name is the same but for case and look.
SELECT id FROM users WHERE name_key = :name_key AND id <> :id LIMIT 1

--: user_search
-- Those after a name who have the text in one of their names.
SELECT id, username, first_name, last_name, email, affiliation, is_active, is_staff, is_superuser,
	created, last_login, password_changed
FROM users WHERE username > :after AND instr(search_key, :text) > 0 ORDER BY username LIMIT :limit
--: user_search postgresql
-- (which calls it strpos)
SELECT id, username, first_name, last_name, email, affiliation, is_active, is_staff, is_superuser,
	created, last_login, password_changed
FROM users WHERE username > :after AND strpos(search_key, :text) > 0 ORDER BY username LIMIT :limit

--: user_list
-- Those after a name, in the order of names.
SELECT id, username, first_name, last_name, email, affiliation, is_active, is_staff, is_superuser,
	created, last_login, password_changed
FROM users WHERE username > :after ORDER BY username LIMIT :limit

--: user_of_group
-- The members of a group after a name.
SELECT u.id, u.username, u.first_name, u.last_name, u.email, u.affiliation, u.is_active, u.is_staff,
	u.is_superuser, u.created, u.last_login, u.password_changed
FROM membership m JOIN users u ON u.id = m.user_id
WHERE m.group_id = :group AND u.username > :after ORDER BY u.username LIMIT :limit
