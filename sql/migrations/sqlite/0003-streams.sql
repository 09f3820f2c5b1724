-- Streams of alerts: the objects of surveys, the alerts behind them, how far each stream was read,
-- how it fares, and the packets that could not be read.
--
-- sql/migrations/postgresql/ has the same tables.

-- Who may see what a stream brings: a row for each set of principals (as in rights) that a stream has, or
-- has had. A set does not change, but that who is deleted leaves it; then no stream finds it any more.
CREATE TABLE audience (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	members TEXT NOT NULL UNIQUE	-- "2", "17,33": their principals, sorted; "": superusers alone; "gone 7": one left it
) STRICT;

CREATE TABLE audience_member (
	principal INTEGER NOT NULL,
	audience_id INTEGER NOT NULL REFERENCES audience (id),
	PRIMARY KEY (principal, audience_id)
) STRICT, WITHOUT ROWID;

-- An object of a survey, as one audience is told of it: what streams of different audiences tell of one name
-- are different objects. Its measurements stand in datum under its target; without a target there are only
-- counts, and the survey's next packet brings its history again once one is there.
CREATE TABLE survey_object (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	survey TEXT NOT NULL,		-- as datum.source: ZTF
	name TEXT NOT NULL CHECK (name <> ''),
	ra REAL NOT NULL,			-- degrees, ICRS, of the newest detection that an alert told of
	"dec" REAL NOT NULL,
	first_mjd REAL NOT NULL,		-- of the detections that alerts told of
	last_mjd REAL NOT NULL,
	sight INTEGER NOT NULL,		-- id of its audience; no foreign key, which would cost a look-up a row
	alerts INTEGER NOT NULL,			-- rows of alert
	detections INTEGER NOT NULL,		-- the most that one alert told of
	target_id INTEGER REFERENCES target (id) ON DELETE SET NULL,
	note TEXT NOT NULL DEFAULT '',		-- why it has no target: 'several', 'cut', 'taken'; or ''
	closed INTEGER NOT NULL DEFAULT 0,	-- 1: fewer than its audience saw its target, which was deleted
	created INTEGER NOT NULL,
	modified INTEGER NOT NULL,
	-- the square of a quarter of a degree that it lies in, for cones: its declination's zone times 1440,
	-- and its right ascension's. It seldom changes, so that an index of it costs who writes little.
	cell INTEGER GENERATED ALWAYS AS (min(CAST(("dec" + 90) * 4 AS INTEGER), 719) * 1440 + min(CAST(ra * 4 AS INTEGER), 1439)) STORED,
	UNIQUE (survey, name, sight)
) STRICT;
CREATE INDEX survey_object_target ON survey_object (target_id) WHERE target_id IS NOT NULL;
CREATE INDEX survey_object_survey ON survey_object (survey, id);
CREATE INDEX survey_object_cell ON survey_object (cell);

-- The alerts behind an object, each once whatever was read twice.
CREATE TABLE alert (
	object_id INTEGER NOT NULL REFERENCES survey_object (id) ON DELETE CASCADE,
	alert_id INTEGER NOT NULL,		-- the survey's own number
	mjd REAL NOT NULL,			-- UTC
	stream TEXT NOT NULL,		-- of the configuration; '' for meridian-ingest file
	received INTEGER NOT NULL,
	PRIMARY KEY (object_id, alert_id)
) STRICT, WITHOUT ROWID;

-- How far each stream was read, written with what was read. `next` is also the fence: who finds another
-- number here than they left has lost the partition.
CREATE TABLE stream_offset (
	stream TEXT NOT NULL,
	cluster TEXT NOT NULL DEFAULT '',	-- Kafka: which the brokers are of; an offset of another is nothing here
	topic TEXT NOT NULL,		-- files: the path, or its end
	part INTEGER NOT NULL,			-- files: a hash of what tells the file from another
	next INTEGER NOT NULL,			-- the first message that was not taken
	done INTEGER NOT NULL DEFAULT 0,	-- files: to the end
	lost INTEGER NOT NULL DEFAULT 0,	-- Kafka: messages that the broker threw away before they were read
	modified INTEGER NOT NULL,
	PRIMARY KEY (stream, cluster, topic, part)
) STRICT, WITHOUT ROWID;

-- A daemon's word on each of its streams, for people.
CREATE TABLE stream_state (
	stream TEXT NOT NULL,
	host TEXT NOT NULL,
	pid INTEGER NOT NULL,
	started INTEGER NOT NULL,
	heartbeat INTEGER NOT NULL,
	messages INTEGER NOT NULL,		-- since it started, as the next five
	alerts INTEGER NOT NULL,
	new_targets INTEGER NOT NULL,
	new_points INTEGER NOT NULL,
	dead INTEGER NOT NULL,
	rate REAL NOT NULL,			-- messages a second, of the last minute
	behind INTEGER,			-- messages that wait; NULL: not known
	last_packet INTEGER,			-- when the newest came; NULL: none yet
	error TEXT NOT NULL DEFAULT '',	-- why it waits; '': it does not
	error_at INTEGER,			-- of the newest error, mended or not
	PRIMARY KEY (stream, host, pid)
) STRICT, WITHOUT ROWID;

-- Messages that could not be read, with the reason. They were passed.
CREATE TABLE dead_letter (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	stream TEXT NOT NULL,
	cluster TEXT NOT NULL DEFAULT '',
	topic TEXT NOT NULL,
	part INTEGER NOT NULL,
	place INTEGER NOT NULL,			-- its number there, as stream_offset.next counts
	received INTEGER NOT NULL,
	reason TEXT NOT NULL,
	size INTEGER NOT NULL,			-- bytes
	bytes BLOB,				-- NULL: too long to be kept
	kept INTEGER GENERATED ALWAYS AS (bytes IS NOT NULL) STORED,	-- 1: its bytes are there
	waits INTEGER NOT NULL DEFAULT 1,	-- 0: it was taken after all, or dismissed
	asked INTEGER,		-- since when somebody wants it tried again; NULL: nobody does
	tried INTEGER,		-- when it was tried again and could not be read; reason is of then
	replayed INTEGER,		-- when it was taken after all; NULL: it was not
	dismissed INTEGER,		-- when somebody said that it need not be; NULL: nobody did
	UNIQUE (stream, cluster, topic, part, place)
) STRICT;
CREATE INDEX dead_letter_waits ON dead_letter (stream, waits, id);
CREATE INDEX dead_letter_asked ON dead_letter (stream, asked, id) WHERE asked IS NOT NULL;

-- Measurements that their survey corrected, by its own number of them, as they were before. What counts now
-- stands in datum.
CREATE TABLE datum_correction (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	target_id INTEGER NOT NULL REFERENCES target (id) ON DELETE CASCADE,
	mjd REAL NOT NULL,
	source TEXT NOT NULL,
	kind INTEGER NOT NULL,
	band TEXT NOT NULL,
	survey_id INTEGER NOT NULL,
	flux REAL,
	flux_error REAL,
	magnitude REAL,
	magnitude_error REAL,
	limit_mag REAL,
	sign INTEGER NOT NULL,
	created INTEGER NOT NULL,		-- of the row that was replaced
	alert_id INTEGER NOT NULL,		-- the alert that corrected it, by its survey's number
	corrected INTEGER NOT NULL
) STRICT;
CREATE INDEX datum_correction_target ON datum_correction (target_id);
