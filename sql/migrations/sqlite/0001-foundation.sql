-- The foundation: accounts, sites, targets with their names and rights, measurements.
--
-- Times are microseconds since 1970 (UTC); times of observation are MJD (UTC); angles are degrees,
-- ICRS; truth is 0 or 1. Ids are never given out twice (AUTOINCREMENT): rights outlive nobody.
-- sql/migrations/postgresql/ has the same tables.

-- Which of these files were applied.
CREATE TABLE schema_migration (
	version INTEGER PRIMARY KEY,
	name TEXT NOT NULL,
	checksum TEXT NOT NULL,		-- SHA-256 of its statements, hexadecimal
	applied INTEGER NOT NULL
) STRICT;

-- People who sign in.
CREATE TABLE users (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	username TEXT NOT NULL UNIQUE CHECK (username <> ''),
	name_key TEXT NOT NULL UNIQUE CHECK (name_key <> ''),	-- without case (NFKC), of nobody else; of imported twins the name
	search_key TEXT NOT NULL DEFAULT '',	-- what searches look through: all three names without case
	password TEXT NOT NULL,		-- scrypt$N$salt$r$p$base64
	first_name TEXT NOT NULL DEFAULT '',
	last_name TEXT NOT NULL DEFAULT '',
	email TEXT NOT NULL DEFAULT '',
	affiliation TEXT NOT NULL DEFAULT '',
	is_active INTEGER NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
	is_staff INTEGER NOT NULL DEFAULT 0 CHECK (is_staff IN (0, 1)),
	is_superuser INTEGER NOT NULL DEFAULT 0 CHECK (is_superuser IN (0, 1)),
	created INTEGER NOT NULL,
	last_login INTEGER,
	password_changed INTEGER NOT NULL,
	email_verified INTEGER,		-- when its owner followed our link; NULL: not
	pending INTEGER NOT NULL DEFAULT 0 CHECK (pending IN (0, 1)), -- registered, not yet let in
	terms_version TEXT NOT NULL DEFAULT '',	-- the terms of service that they accepted last
	terms_accepted INTEGER
) STRICT;
CREATE INDEX users_email ON users (lower(email));
CREATE INDEX users_pending ON users (created) WHERE pending = 1;
CREATE INDEX users_superuser ON users (id) WHERE is_superuser = 1;

-- Groups of people, who share rights.
CREATE TABLE user_group (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	name TEXT NOT NULL UNIQUE CHECK (name <> '')
) STRICT;

CREATE TABLE membership (
	user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	group_id INTEGER NOT NULL REFERENCES user_group (id) ON DELETE CASCADE,
	PRIMARY KEY (user_id, group_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX membership_group ON membership (group_id);

-- Who is signed in. The table has the SHA-256 of the token, so that a copy of it lets nobody in.
CREATE TABLE session (
	token_hash BLOB PRIMARY KEY CHECK (length(token_hash) = 32),
	user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	created INTEGER NOT NULL,
	last_seen INTEGER NOT NULL,
	expires INTEGER NOT NULL,
	auth_hash BLOB NOT NULL,	-- of the password it began with
	factor INTEGER,			-- when the second factor was given; NULL: it was not
	address TEXT NOT NULL DEFAULT '',	-- of the browser when it signed in
	agent TEXT NOT NULL DEFAULT ''		-- what the browser calls itself
) STRICT, WITHOUT ROWID;
CREATE INDEX session_owner ON session (user_id);
CREATE INDEX session_expires ON session (expires);
CREATE INDEX session_created ON session (created, token_hash);

-- The host names of this TOM; SITE_ID names the one that is in use and stays.
CREATE TABLE site (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	domain TEXT NOT NULL UNIQUE CHECK (domain <> ''),
	name TEXT NOT NULL
) STRICT;

-- What is observed.
CREATE TABLE target (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	name TEXT NOT NULL UNIQUE CHECK (name <> ''),	-- the primary one of target_name
	type TEXT NOT NULL CHECK (type IN ('SIDEREAL', 'NON_SIDEREAL')),
	permissions TEXT NOT NULL CHECK (permissions IN ('OPEN', 'PUBLIC', 'PRIVATE')),
	created INTEGER NOT NULL,
	modified INTEGER NOT NULL,
	creator_id INTEGER REFERENCES users (id) ON DELETE SET NULL,
	ra REAL CHECK (ra >= 0 AND ra < 360),
	dec REAL CHECK (dec BETWEEN -90 AND 90),
	epoch REAL,			-- Julian years
	parallax REAL,			-- mas
	pm_ra REAL,			-- mas/yr
	pm_dec REAL,			-- mas/yr
	galactic_lng REAL,
	galactic_lat REAL,
	distance REAL,			-- parsec
	distance_err REAL,		-- parsec
	scheme TEXT NOT NULL DEFAULT ''
		CHECK (scheme IN ('', 'MPC_MINOR_PLANET', 'MPC_COMET', 'JPL_MAJOR_PLANET')),
	epoch_of_elements REAL,		-- MJD
	mean_anomaly REAL,
	arg_of_perihelion REAL,
	eccentricity REAL,
	lng_asc_node REAL,
	inclination REAL,
	mean_daily_motion REAL,		-- degrees a day
	semimajor_axis REAL,		-- AU
	epoch_of_perihelion REAL,	-- MJD
	perihdist REAL,			-- AU
	ephemeris_period REAL,		-- days
	ephemeris_period_err REAL,	-- days
	ephemeris_epoch REAL,		-- days
	ephemeris_epoch_err REAL,	-- days
	abs_mag REAL,			-- H of an asteroid, M1 of a comet
	slope REAL,			-- G of an asteroid, k1 of a comet
	zone INTEGER			-- floor((dec + 90) / 0.25), for cones; NULL without a position
) STRICT;
CREATE INDEX target_zone ON target (zone, ra) WHERE zone IS NOT NULL;
CREATE INDEX target_created ON target (created DESC, id DESC);
-- one for each other column a list is sorted by (the name has its own)
CREATE INDEX target_type ON target (type, created DESC, id DESC);
CREATE INDEX target_ra ON target (ra, id);
CREATE INDEX target_dec ON target (dec, id);
CREATE INDEX target_modified ON target (modified DESC, id DESC);
CREATE INDEX target_creator ON target (creator_id) WHERE creator_id IS NOT NULL;

-- Every name of a target, the primary one too. What counts as the same name has the same key:
-- lower case, without blank, '-', '_', '(' and ')'. Equal names have equal keys, so the key's
-- index keeps the names apart as well.
CREATE TABLE target_name (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	target_id INTEGER NOT NULL REFERENCES target (id) ON DELETE CASCADE,
	name TEXT NOT NULL CHECK (name <> ''),
	match_key TEXT NOT NULL UNIQUE CHECK (match_key <> ''),
	is_primary INTEGER NOT NULL CHECK (is_primary IN (0, 1)),
	created INTEGER NOT NULL,
	modified INTEGER NOT NULL
) STRICT;
CREATE INDEX target_name_target ON target_name (target_id);

-- Parts of names, of three letters up, by the key: rowid is target_name.id. The table holds no
-- text of its own. Statements keep it (sql/query/name_part.sql): with trusted_schema off a trigger
-- may not. A row that outlives its name does no harm: searches join target_name.
CREATE VIRTUAL TABLE name_part USING fts5 (
	match_key, content = '', tokenize = 'trigram', columnsize = 0
);

-- What else is known of a target: EXTRA_FIELDS of the configuration, and tags.
CREATE TABLE target_extra (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	target_id INTEGER NOT NULL REFERENCES target (id) ON DELETE CASCADE,
	key TEXT NOT NULL CHECK (key <> ''),
	value TEXT NOT NULL DEFAULT '',
	float_value REAL,
	bool_value INTEGER CHECK (bool_value IN (0, 1)),
	time_value INTEGER,
	UNIQUE (target_id, key)
) STRICT;
CREATE INDEX target_extra_key ON target_extra (key, value);

-- Targets that belong together (TOM Toolkit: target groups).
CREATE TABLE target_list (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	name TEXT NOT NULL CHECK (name <> ''),
	created INTEGER NOT NULL,
	modified INTEGER NOT NULL
) STRICT;
CREATE INDEX target_list_name ON target_list (name);

CREATE TABLE target_list_member (
	list_id INTEGER NOT NULL REFERENCES target_list (id) ON DELETE CASCADE,
	target_id INTEGER NOT NULL REFERENCES target (id) ON DELETE CASCADE,
	PRIMARY KEY (list_id, target_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX target_list_member_target ON target_list_member (target_id);

-- Who may do what with a target: one row a principal (anyone, signed in, a user, a group: see
-- lib/auth/access.h). `created` is the target's: a person's newest targets are a merge of the
-- newest of each of their principals.
CREATE TABLE rights (
	principal INTEGER NOT NULL,
	target_id INTEGER NOT NULL REFERENCES target (id) ON DELETE CASCADE,
	verbs INTEGER NOT NULL CHECK (verbs BETWEEN 1 AND 7),
	created INTEGER NOT NULL,
	PRIMARY KEY (principal, target_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX rights_newest ON rights (principal, created DESC, target_id DESC);
CREATE INDEX rights_target ON rights (target_id);

-- Measurements of targets. The key says when two are the same one; survey_id is the survey's own
-- number of the measurement, 0 where it has none. Kept in the order of the key: a light curve is
-- one run of rows.
CREATE TABLE datum (
	target_id INTEGER NOT NULL REFERENCES target (id) ON DELETE CASCADE,
	mjd REAL NOT NULL,
	source TEXT NOT NULL,		-- the survey or telescope: ZTF
	kind INTEGER NOT NULL CHECK (kind IN (1, 2, 3)), -- detection, limit, forced
	band TEXT NOT NULL,
	survey_id INTEGER NOT NULL DEFAULT 0,
	flux REAL,			-- nJy, of the difference
	flux_error REAL,
	magnitude REAL,			-- AB
	magnitude_error REAL,
	limit_mag REAL,			-- AB
	sign INTEGER NOT NULL DEFAULT 0 CHECK (sign IN (-1, 0, 1)), -- of the difference; 0: none
	created INTEGER NOT NULL,
	PRIMARY KEY (target_id, mjd, source, kind, band, survey_id)
) STRICT, WITHOUT ROWID;

-- Which measurements a target has, as one number: another one after each change, greater than before and
-- never one that was there already, in microseconds of the clock. No row: none was ever stored. It names
-- no target by a foreign key: streams would pay for that with each of theirs.
CREATE TABLE datum_revision (
	target_id INTEGER PRIMARY KEY,
	revision INTEGER NOT NULL
) STRICT;
