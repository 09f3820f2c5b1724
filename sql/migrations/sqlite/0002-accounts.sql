-- Accounts that face the internet: second factors, tokens, links sent by mail, mail itself, what
-- slows guessing down, and the log of what happened.
--
-- sql/migrations/postgresql/ has the same tables.

-- The second factor of a user (TOTP, RFC 6238), proved by a code before it stood here. The key is
-- sealed under the vault's key, so a copy of the table makes no codes.
CREATE TABLE factor (
	user_id INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
	secret BLOB NOT NULL,
	created INTEGER NOT NULL,
	last_step INTEGER NOT NULL DEFAULT 0,	-- the newest step of 30 s whose code was used
	failures INTEGER NOT NULL DEFAULT 0,	-- wrong codes since the last right one
	retry_at INTEGER NOT NULL DEFAULT 0	-- no code is looked at before
) STRICT;

-- Codes for a lost factor: SHA-256 of the user and the code; each is good once.
CREATE TABLE recovery_code (
	user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	code_hash BLOB NOT NULL,
	used INTEGER,
	PRIMARY KEY (user_id, code_hash)
) STRICT, WITHOUT ROWID;

-- What scripts show instead of a session. The table has the SHA-256.
CREATE TABLE api_token (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	name TEXT NOT NULL CHECK (name <> ''),
	token_hash BLOB NOT NULL UNIQUE,
	scopes TEXT NOT NULL,	-- words divided by blanks: see lib/auth/token.h
	created INTEGER NOT NULL,
	expires INTEGER,		-- NULL: never
	last_used INTEGER,
	automatic INTEGER NOT NULL DEFAULT 0,	-- made by /api/token-auth/: few of a user are kept
	UNIQUE (user_id, name)
) STRICT;

-- Links that we sent by mail, each good once: SHA-256 of what stands in the link.
CREATE TABLE one_time (
	token_hash BLOB PRIMARY KEY,
	purpose TEXT NOT NULL CHECK (purpose IN ('reset', 'email', 'address')),
	user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	email TEXT NOT NULL,	-- where it was sent
	password_changed INTEGER NOT NULL,	-- of the user when it was made: a later password voids it
	created INTEGER NOT NULL,
	expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX one_time_expires ON one_time (expires);
CREATE INDEX one_time_owner ON one_time (user_id);

-- Failures lately, by what they have in common: an HMAC of an account and an address, of either, or
-- of all; and what time it is on each host. See lib/auth/throttle.h.
CREATE TABLE throttle (
	bucket BLOB PRIMARY KEY,
	failures INTEGER NOT NULL,
	last INTEGER NOT NULL,		-- of the newest; of a host: its time
	until INTEGER NOT NULL	-- see throttle.c; of a host: its time since boot
) STRICT, WITHOUT ROWID;
CREATE INDEX throttle_last ON throttle (last);

-- What happened to accounts and who was refused. Names stand here as they were: rows outlive users.
CREATE TABLE security_event (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	at INTEGER NOT NULL,
	kind TEXT NOT NULL,		-- a word of lib/auth/event.h
	user_id INTEGER,		-- whose account; NULL: of nobody
	username TEXT NOT NULL DEFAULT '',	-- as it was, or as it was given
	actor_id INTEGER,		-- who did it; NULL: somebody not signed in, or a command
	address TEXT NOT NULL DEFAULT '',	-- REMOTE_ADDR; '' for a command
	detail TEXT NOT NULL DEFAULT '',
	request_id TEXT NOT NULL DEFAULT '',
	times INTEGER NOT NULL DEFAULT 1	-- so many alike, of a flood
) STRICT;
CREATE INDEX security_event_at ON security_event (at, id);
CREATE INDEX security_event_user ON security_event (user_id, at);
CREATE INDEX security_event_username ON security_event (username, at);
CREATE INDEX security_event_kind ON security_event (kind, at);
CREATE INDEX security_event_address ON security_event (address, at);

-- Mail to send, and what was sent lately. No page sends mail: `meridian mail` does.
CREATE TABLE mail (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	created INTEGER NOT NULL,
	recipient TEXT NOT NULL,
	recipient_key TEXT NOT NULL,	-- in lower case: how much goes to one address is counted
	subject TEXT NOT NULL,
	body TEXT NOT NULL,		-- '' once it was sent: links in it are secrets
	attempts INTEGER NOT NULL DEFAULT 0,
	next_try INTEGER,		-- NULL: sent, or given up
	sent INTEGER,
	error TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX mail_next ON mail (next_try);
CREATE INDEX mail_recipient ON mail (recipient_key, created);

-- Who may do what with the measurements of one source of a target, where TARGET_PERMISSIONS_ONLY is
-- no: a row a principal, as in rights. A row of principal 0, nobody, says that the rights were
-- settled, so that a stream gives none.
CREATE TABLE datum_rights (
	target_id INTEGER NOT NULL REFERENCES target (id) ON DELETE CASCADE,
	source TEXT NOT NULL,
	principal INTEGER NOT NULL,
	verbs INTEGER NOT NULL CHECK (verbs BETWEEN 1 AND 7),
	PRIMARY KEY (target_id, source, principal)
) STRICT, WITHOUT ROWID;
CREATE INDEX datum_rights_principal ON datum_rights (principal);
