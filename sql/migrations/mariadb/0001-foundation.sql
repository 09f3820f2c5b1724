-- The foundation: accounts, sites, targets with their names and rights, measurements.
--
-- Times are microseconds since 1970 (UTC); times of observation are MJD (UTC); angles are degrees,
-- ICRS; truth is 0 or 1. sql/migrations/sqlite/ has the same tables.
--
-- Each table says its own engine and sort order: texts are compared and sorted by their code points,
-- without padding, as on the other engines, whatever the database's default. (On MySQL the driver
-- writes that order's name there, utf8mb4_0900_bin.) The engine commits each statement by itself, so
-- each can be run again.

-- Which of these files were applied.
CREATE TABLE IF NOT EXISTS schema_migration (
	version BIGINT PRIMARY KEY,
	name VARCHAR(100) NOT NULL,
	checksum VARCHAR(64) NOT NULL,		-- SHA-256 of its statements, hexadecimal
	applied BIGINT NOT NULL			-- 0: begun
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- People who sign in.
CREATE TABLE IF NOT EXISTS users (
	id BIGINT AUTO_INCREMENT PRIMARY KEY,
	username VARCHAR(150) NOT NULL UNIQUE CHECK (username <> ''),
	name_key VARCHAR(450) NOT NULL UNIQUE CHECK (name_key <> ''),	-- without case (NFKC), of nobody else; of imported twins the name
	search_key VARCHAR(1000) NOT NULL DEFAULT '',	-- what searches look through: all three names without case
	password VARCHAR(512) NOT NULL,		-- scrypt$N$salt$r$p$base64
	first_name VARCHAR(150) NOT NULL DEFAULT '',
	last_name VARCHAR(150) NOT NULL DEFAULT '',
	email VARCHAR(254) NOT NULL DEFAULT '',
	email_key VARCHAR(254) GENERATED ALWAYS AS (lower(email)) STORED, -- there is no index on lower(email)
	affiliation VARCHAR(254) NOT NULL DEFAULT '',
	is_active TINYINT NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
	is_staff TINYINT NOT NULL DEFAULT 0 CHECK (is_staff IN (0, 1)),
	is_superuser TINYINT NOT NULL DEFAULT 0 CHECK (is_superuser IN (0, 1)),
	created BIGINT NOT NULL,
	last_login BIGINT,
	password_changed BIGINT NOT NULL,
	email_verified BIGINT,		-- when its owner followed our link; NULL: not
	pending TINYINT NOT NULL DEFAULT 0 CHECK (pending IN (0, 1)), -- registered, not yet let in
	terms_version VARCHAR(100) NOT NULL DEFAULT '',	-- the terms of service that they accepted last
	terms_accepted BIGINT,
	INDEX users_email (email_key),
	INDEX users_pending (pending, created),
	INDEX users_superuser (is_superuser)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- Groups of people, who share rights.
CREATE TABLE IF NOT EXISTS user_group (
	id BIGINT AUTO_INCREMENT PRIMARY KEY,
	name VARCHAR(150) NOT NULL UNIQUE CHECK (name <> '')
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS membership (
	user_id BIGINT NOT NULL,
	group_id BIGINT NOT NULL,
	PRIMARY KEY (user_id, group_id),
	INDEX membership_group (group_id),
	FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
	FOREIGN KEY (group_id) REFERENCES user_group (id) ON DELETE CASCADE
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- Who is signed in. The table has the SHA-256 of the token, so that a copy of it lets nobody in.
CREATE TABLE IF NOT EXISTS session (
	token_hash BINARY(32) PRIMARY KEY,
	user_id BIGINT NOT NULL,
	created BIGINT NOT NULL,
	last_seen BIGINT NOT NULL,
	expires BIGINT NOT NULL,
	auth_hash VARBINARY(64) NOT NULL,	-- of the password it began with
	factor BIGINT,			-- when the second factor was given; NULL: it was not
	address VARCHAR(100) NOT NULL DEFAULT '',	-- of the browser when it signed in
	agent VARCHAR(400) NOT NULL DEFAULT '',	-- what the browser calls itself
	INDEX session_owner (user_id),
	INDEX session_expires (expires),
	INDEX session_created (created, token_hash),
	FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- The host names of this TOM; SITE_ID names the one that is in use and stays.
CREATE TABLE IF NOT EXISTS site (
	id BIGINT AUTO_INCREMENT PRIMARY KEY,
	domain VARCHAR(260) NOT NULL UNIQUE CHECK (domain <> ''),
	name VARCHAR(100) NOT NULL
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- What is observed.
CREATE TABLE IF NOT EXISTS target (
	id BIGINT AUTO_INCREMENT PRIMARY KEY,
	name VARCHAR(100) NOT NULL UNIQUE CHECK (name <> ''),	-- the primary one of target_name
	type VARCHAR(20) NOT NULL CHECK (type IN ('SIDEREAL', 'NON_SIDEREAL')),
	permissions VARCHAR(10) NOT NULL CHECK (permissions IN ('OPEN', 'PUBLIC', 'PRIVATE')),
	created BIGINT NOT NULL,
	modified BIGINT NOT NULL,
	creator_id BIGINT,
	ra DOUBLE CHECK (ra >= 0 AND ra < 360),
	"dec" DOUBLE CHECK ("dec" BETWEEN -90 AND 90),
	epoch DOUBLE,			-- Julian years
	parallax DOUBLE,		-- mas
	pm_ra DOUBLE,			-- mas/yr
	pm_dec DOUBLE,			-- mas/yr
	galactic_lng DOUBLE,
	galactic_lat DOUBLE,
	distance DOUBLE,		-- parsec
	distance_err DOUBLE,		-- parsec
	scheme VARCHAR(20) NOT NULL DEFAULT ''
		CHECK (scheme IN ('', 'MPC_MINOR_PLANET', 'MPC_COMET', 'JPL_MAJOR_PLANET')),
	epoch_of_elements DOUBLE,	-- MJD
	mean_anomaly DOUBLE,
	arg_of_perihelion DOUBLE,
	eccentricity DOUBLE,
	lng_asc_node DOUBLE,
	inclination DOUBLE,
	mean_daily_motion DOUBLE,	-- degrees a day
	semimajor_axis DOUBLE,		-- AU
	epoch_of_perihelion DOUBLE,	-- MJD
	perihdist DOUBLE,		-- AU
	ephemeris_period DOUBLE,	-- days
	ephemeris_period_err DOUBLE,	-- days
	ephemeris_epoch DOUBLE,		-- days
	ephemeris_epoch_err DOUBLE,	-- days
	abs_mag DOUBLE,			-- H of an asteroid, M1 of a comet
	slope DOUBLE,			-- G of an asteroid, k1 of a comet
	zone INTEGER,			-- floor((dec + 90) / 0.25), for cones; NULL without a position
	INDEX target_zone (zone, ra, "dec"),
	-- one for each column a list is sorted by (the name has its own)
	INDEX target_created (created, id),
	INDEX target_type (type, created, id),
	INDEX target_ra (ra, id),
	INDEX target_dec ("dec", id),
	INDEX target_modified (modified, id),
	INDEX target_creator (creator_id),
	FOREIGN KEY (creator_id) REFERENCES users (id) ON DELETE SET NULL
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- Every name of a target, the primary one too. What counts as the same name has the same key:
-- lower case, without blank, '-', '_', '(' and ')'. Equal names have equal keys, so the key's
-- index keeps the names apart as well.
CREATE TABLE IF NOT EXISTS target_name (
	id BIGINT AUTO_INCREMENT PRIMARY KEY,
	target_id BIGINT NOT NULL,
	name VARCHAR(100) NOT NULL CHECK (name <> ''),
	match_key VARCHAR(300) NOT NULL UNIQUE CHECK (match_key <> ''),
	is_primary TINYINT NOT NULL CHECK (is_primary IN (0, 1)),
	created BIGINT NOT NULL,
	modified BIGINT NOT NULL,
	INDEX target_name_target (target_id),
	FOREIGN KEY (target_id) REFERENCES target (id) ON DELETE CASCADE
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- Parts of names: every ending of a key, of three letters up, so that a part is the beginning of one.
-- Statements keep it (sql/query/name_part.sql). A row that outlives its name does no harm: searches
-- join target_name.
CREATE TABLE IF NOT EXISTS name_part (
	ending VARCHAR(300) NOT NULL,
	name_id BIGINT NOT NULL,
	PRIMARY KEY (ending, name_id)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- The numbers from 1 to 298: where an ending of three letters may begin.
CREATE TABLE IF NOT EXISTS name_part_begin (
	n SMALLINT PRIMARY KEY
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

INSERT IGNORE INTO name_part_begin (n)
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 298)
SELECT n FROM numbers;

-- What else is known of a target: EXTRA_FIELDS of the configuration, and tags.
CREATE TABLE IF NOT EXISTS target_extra (
	id BIGINT AUTO_INCREMENT PRIMARY KEY,
	target_id BIGINT NOT NULL,
	"key" VARCHAR(200) NOT NULL CHECK ("key" <> ''),
	value TEXT NOT NULL,
	float_value DOUBLE,
	bool_value TINYINT CHECK (bool_value IN (0, 1)),
	time_value BIGINT,
	UNIQUE (target_id, "key"),
	INDEX target_extra_key ("key", value(200)),
	FOREIGN KEY (target_id) REFERENCES target (id) ON DELETE CASCADE
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- Targets that belong together (TOM Toolkit: target groups).
CREATE TABLE IF NOT EXISTS target_list (
	id BIGINT AUTO_INCREMENT PRIMARY KEY,
	name VARCHAR(200) NOT NULL CHECK (name <> ''),
	created BIGINT NOT NULL,
	modified BIGINT NOT NULL,
	INDEX target_list_name (name)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS target_list_member (
	list_id BIGINT NOT NULL,
	target_id BIGINT NOT NULL,
	PRIMARY KEY (list_id, target_id),
	INDEX target_list_member_target (target_id),
	FOREIGN KEY (list_id) REFERENCES target_list (id) ON DELETE CASCADE,
	FOREIGN KEY (target_id) REFERENCES target (id) ON DELETE CASCADE
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- Who may do what with a target: one row a principal (anyone, signed in, a user, a group: see
-- lib/auth/access.h). `created` is the target's: a person's newest targets are a merge of the
-- newest of each of their principals.
CREATE TABLE IF NOT EXISTS rights (
	principal BIGINT NOT NULL,
	target_id BIGINT NOT NULL,
	verbs TINYINT NOT NULL CHECK (verbs BETWEEN 1 AND 7),
	created BIGINT NOT NULL,
	PRIMARY KEY (principal, target_id),
	INDEX rights_newest (principal, created, target_id),
	INDEX rights_target (target_id),
	FOREIGN KEY (target_id) REFERENCES target (id) ON DELETE CASCADE
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- Measurements of targets. The key says when two are the same one; survey_id is the survey's own
-- number of the measurement, 0 where it has none. Kept in the order of the key: a light curve is
-- one run of rows.
CREATE TABLE IF NOT EXISTS datum (
	target_id BIGINT NOT NULL,
	mjd DOUBLE NOT NULL,
	source VARCHAR(100) NOT NULL,		-- the survey or telescope: ZTF
	kind TINYINT NOT NULL CHECK (kind IN (1, 2, 3)), -- detection, limit, forced
	band VARCHAR(100) NOT NULL,
	survey_id BIGINT NOT NULL DEFAULT 0,
	flux DOUBLE,				-- nJy, of the difference
	flux_error DOUBLE,
	magnitude DOUBLE,			-- AB
	magnitude_error DOUBLE,
	limit_mag DOUBLE,			-- AB
	sign TINYINT NOT NULL DEFAULT 0 CHECK (sign IN (-1, 0, 1)), -- of the difference; 0: none
	created BIGINT NOT NULL,
	PRIMARY KEY (target_id, mjd, source, kind, band, survey_id),
	FOREIGN KEY (target_id) REFERENCES target (id) ON DELETE CASCADE
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- Which measurements a target has, as one number: another one after each change, greater than before and
-- never one that was there already, in microseconds of the clock. No row: none was ever stored. It names
-- no target by a foreign key: streams would pay for that with each of theirs.
CREATE TABLE IF NOT EXISTS datum_revision (
	target_id BIGINT PRIMARY KEY,
	revision BIGINT NOT NULL
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
