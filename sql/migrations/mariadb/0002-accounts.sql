-- Accounts that face the internet: second factors, tokens, links sent by mail, mail itself, what
-- slows guessing down, and the log of what happened.
--
-- Each statement can be run again. sql/migrations/sqlite/ has the same tables.

-- The second factor of a user (TOTP, RFC 6238), proved by a code before it stood here. The key is
-- sealed under the vault's key, so a copy of the table makes no codes.
CREATE TABLE IF NOT EXISTS factor (
	user_id BIGINT PRIMARY KEY,
	secret VARBINARY(255) NOT NULL,
	created BIGINT NOT NULL,
	last_step BIGINT NOT NULL DEFAULT 0,	-- the newest step of 30 s whose code was used
	failures BIGINT NOT NULL DEFAULT 0,	-- wrong codes since the last right one
	retry_at BIGINT NOT NULL DEFAULT 0,	-- no code is looked at before
	FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- Codes for a lost factor: SHA-256 of the user and the code; each is good once.
CREATE TABLE IF NOT EXISTS recovery_code (
	user_id BIGINT NOT NULL,
	code_hash BINARY(32) NOT NULL,
	used BIGINT,
	PRIMARY KEY (user_id, code_hash),
	FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- What scripts show instead of a session. The table has the SHA-256.
CREATE TABLE IF NOT EXISTS api_token (
	id BIGINT AUTO_INCREMENT PRIMARY KEY,
	user_id BIGINT NOT NULL,
	name VARCHAR(100) NOT NULL CHECK (name <> ''),
	token_hash BINARY(32) NOT NULL UNIQUE,
	scopes VARCHAR(400) NOT NULL,	-- words divided by blanks: see lib/auth/token.h
	created BIGINT NOT NULL,
	expires BIGINT,		-- NULL: never
	last_used BIGINT,
	automatic TINYINT NOT NULL DEFAULT 0,	-- made by /api/token-auth/: few of a user are kept
	UNIQUE (user_id, name),
	FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- Links that we sent by mail, each good once: SHA-256 of what stands in the link.
CREATE TABLE IF NOT EXISTS one_time (
	token_hash BINARY(32) PRIMARY KEY,
	purpose VARCHAR(20) NOT NULL CHECK (purpose IN ('reset', 'email', 'address')),
	user_id BIGINT NOT NULL,
	email VARCHAR(254) NOT NULL,	-- where it was sent
	password_changed BIGINT NOT NULL,	-- of the user when it was made: a later password voids it
	created BIGINT NOT NULL,
	expires BIGINT NOT NULL,
	INDEX one_time_expires (expires),
	FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- Failures lately, by what they have in common: an HMAC of an account and an address, of either, or
-- of all; and what time it is on each host. See lib/auth/throttle.h.
CREATE TABLE IF NOT EXISTS throttle (
	bucket BINARY(32) PRIMARY KEY,
	failures BIGINT NOT NULL,
	last BIGINT NOT NULL,		-- of the newest; of a host: its time
	until BIGINT NOT NULL,	-- see throttle.c; of a host: its time since boot
	INDEX throttle_last (last)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- What happened to accounts and who was refused. Names stand here as they were: rows outlive users.
CREATE TABLE IF NOT EXISTS security_event (
	id BIGINT AUTO_INCREMENT PRIMARY KEY,
	at BIGINT NOT NULL,
	kind VARCHAR(50) NOT NULL,		-- a word of lib/auth/event.h
	user_id BIGINT,		-- whose account; NULL: of nobody
	username VARCHAR(150) NOT NULL DEFAULT '',	-- as it was, or as it was given
	actor_id BIGINT,		-- who did it; NULL: somebody not signed in, or a command
	address VARCHAR(100) NOT NULL DEFAULT '',	-- REMOTE_ADDR; '' for a command
	detail VARCHAR(1000) NOT NULL DEFAULT '',
	request_id VARCHAR(50) NOT NULL DEFAULT '',
	times BIGINT NOT NULL DEFAULT 1,	-- so many alike, of a flood
	INDEX security_event_at (at, id),
	INDEX security_event_user (user_id, at),
	INDEX security_event_username (username, at),
	INDEX security_event_kind (kind, at),
	INDEX security_event_address (address, at)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- Mail to send, and what was sent lately. No page sends mail: `meridian mail` does.
CREATE TABLE IF NOT EXISTS mail (
	id BIGINT AUTO_INCREMENT PRIMARY KEY,
	created BIGINT NOT NULL,
	recipient VARCHAR(254) NOT NULL,
	recipient_key VARCHAR(254) NOT NULL,	-- in lower case: how much goes to one address is counted
	subject VARCHAR(400) NOT NULL,
	body MEDIUMTEXT NOT NULL,		-- '' once it was sent: links in it are secrets
	attempts BIGINT NOT NULL DEFAULT 0,
	next_try BIGINT,		-- NULL: sent, or given up
	sent BIGINT,
	error VARCHAR(1000) NOT NULL DEFAULT '',
	INDEX mail_next (next_try),
	INDEX mail_recipient (recipient_key, created)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- Who may do what with the measurements of one source of a target, where TARGET_PERMISSIONS_ONLY is
-- no: a row a principal, as in rights. A row of principal 0, nobody, says that the rights were
-- settled, so that a stream gives none.
CREATE TABLE IF NOT EXISTS datum_rights (
	target_id BIGINT NOT NULL,
	source VARCHAR(100) NOT NULL,
	principal BIGINT NOT NULL,
	verbs TINYINT NOT NULL CHECK (verbs BETWEEN 1 AND 7),
	PRIMARY KEY (target_id, source, principal),
	INDEX datum_rights_principal (principal),
	FOREIGN KEY (target_id) REFERENCES target (id) ON DELETE CASCADE
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
