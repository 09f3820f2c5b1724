-- user.sql: accounts. Only user_password and the statements that write reach the password's hash.

--: user_password
-- What signing in needs.
SELECT id, password, password_changed, is_active FROM users WHERE username = :username

--: user_rehash
-- The same password hashed anew, unless it was changed meanwhile.
UPDATE users SET password = :new WHERE id = :id AND password = :old

--: user_binding
-- Who gets a new session: nobody whose password was changed since it was checked.
SELECT is_staff, is_superuser FROM users
WHERE id = :id AND is_active = 1 AND password_changed = :password_changed

--: user_signed_in
UPDATE users SET last_login = :now WHERE id = :id

--: user_add insert
INSERT INTO users (username, password, first_name, last_name, email, affiliation, is_active,
	is_staff, is_superuser, created, password_changed)
VALUES (:username, :password, :first_name, :last_name, :email, :affiliation, 1, :is_staff,
	:is_superuser, :now, :now)

--: user_set_password
-- Unless another one was set since the account was read.
UPDATE users SET password = :password, password_changed = :now
WHERE id = :id AND password_changed = :before

--: user_set_active
UPDATE users SET is_active = :active WHERE id = :id

--: user_accept_terms
UPDATE users SET terms_version = :version, terms_accepted = :now WHERE id = :id

--: user_by_name
SELECT id, username, first_name, last_name, email, affiliation, is_active, is_staff, is_superuser,
	created, last_login, password_changed
FROM users WHERE username = :username

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
