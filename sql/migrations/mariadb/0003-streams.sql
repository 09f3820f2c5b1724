-- Streams of alerts: the objects of surveys, the alerts behind them, how far each stream was read,
-- how it fares, and the packets that could not be read.
--
-- Each statement can be run again. sql/migrations/sqlite/ has the same tables.

-- Who may see what a stream brings: a row for each set of principals (as in rights) that a stream has, or
-- has had. A set does not change, but that who is deleted leaves it; then no stream finds it any more.
CREATE TABLE IF NOT EXISTS audience (
	id BIGINT AUTO_INCREMENT PRIMARY KEY,
	members VARCHAR(3000) CHARACTER SET ascii COLLATE ascii_bin NOT NULL UNIQUE	-- "2", "17,33": their principals, sorted; "": superusers alone; "gone 7": one left it
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS audience_member (
	principal BIGINT NOT NULL,
	audience_id BIGINT NOT NULL,
	PRIMARY KEY (principal, audience_id),
	FOREIGN KEY (audience_id) REFERENCES audience (id)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- An object of a survey, as one audience is told of it: what streams of different audiences tell of one name
-- are different objects. Its measurements stand in datum under its target; without a target there are only
-- counts, and the survey's next packet brings its history again once one is there.
CREATE TABLE IF NOT EXISTS survey_object (
	id BIGINT AUTO_INCREMENT PRIMARY KEY,
	survey VARCHAR(100) NOT NULL,		-- as datum.source: ZTF
	name VARCHAR(100) NOT NULL CHECK (name <> ''),
	ra DOUBLE NOT NULL,			-- degrees, ICRS, of the newest detection that an alert told of
	"dec" DOUBLE NOT NULL,
	first_mjd DOUBLE NOT NULL,		-- of the detections that alerts told of
	last_mjd DOUBLE NOT NULL,
	sight BIGINT NOT NULL,		-- id of its audience; no foreign key, which would cost a look-up a row
	alerts BIGINT NOT NULL,			-- rows of alert
	detections BIGINT NOT NULL,		-- the most that one alert told of
	target_id BIGINT,
	note VARCHAR(100) NOT NULL DEFAULT '',		-- why it has no target: 'several', 'cut', 'taken'; or ''
	closed SMALLINT NOT NULL DEFAULT 0,	-- 1: fewer than its audience saw its target, which was deleted
	created BIGINT NOT NULL,
	modified BIGINT NOT NULL,
	-- the square of a quarter of a degree that it lies in, for cones: its declination's zone times 1440,
	-- and its right ascension's. It seldom changes, so that an index of it costs who writes little.
	cell INTEGER GENERATED ALWAYS AS (least(floor(("dec" + 90) * 4), 719) * 1440 + least(floor(ra * 4), 1439)) STORED,
	UNIQUE (survey, name, sight),
	INDEX survey_object_target (target_id),
	INDEX survey_object_survey (survey, id),
	INDEX survey_object_cell (cell),
	FOREIGN KEY (target_id) REFERENCES target (id) ON DELETE SET NULL
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- The alerts behind an object, each once whatever was read twice.
CREATE TABLE IF NOT EXISTS alert (
	object_id BIGINT NOT NULL,
	alert_id BIGINT NOT NULL,		-- the survey's own number
	mjd DOUBLE NOT NULL,			-- UTC
	stream VARCHAR(100) NOT NULL,		-- of the configuration; '' for meridian-ingest file
	received BIGINT NOT NULL,
	PRIMARY KEY (object_id, alert_id),
	FOREIGN KEY (object_id) REFERENCES survey_object (id) ON DELETE CASCADE
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- How far each stream was read, written with what was read. `next` is also the fence: who finds another
-- number here than they left has lost the partition.
CREATE TABLE IF NOT EXISTS stream_offset (
	stream VARCHAR(100) NOT NULL,
	cluster VARCHAR(100) NOT NULL DEFAULT '',	-- Kafka: which the brokers are of; an offset of another is nothing here
	topic VARCHAR(250) NOT NULL,		-- files: the path, or its end
	part BIGINT NOT NULL,			-- files: a hash of what tells the file from another
	next BIGINT NOT NULL,			-- the first message that was not taken
	done TINYINT NOT NULL DEFAULT 0,	-- files: to the end
	lost BIGINT NOT NULL DEFAULT 0,	-- Kafka: messages that the broker threw away before they were read
	modified BIGINT NOT NULL,
	PRIMARY KEY (stream, cluster, topic, part)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- A daemon's word on each of its streams, for people.
CREATE TABLE IF NOT EXISTS stream_state (
	stream VARCHAR(100) NOT NULL,
	host VARCHAR(100) NOT NULL,
	pid BIGINT NOT NULL,
	started BIGINT NOT NULL,
	heartbeat BIGINT NOT NULL,
	messages BIGINT NOT NULL,		-- since it started, as the next five
	alerts BIGINT NOT NULL,
	new_targets BIGINT NOT NULL,
	new_points BIGINT NOT NULL,
	dead BIGINT NOT NULL,
	rate DOUBLE NOT NULL,			-- messages a second, of the last minute
	behind BIGINT,			-- messages that wait; NULL: not known
	last_packet BIGINT,			-- when the newest came; NULL: none yet
	error VARCHAR(1000) NOT NULL DEFAULT '',	-- why it waits; '': it does not
	error_at BIGINT,			-- of the newest error, mended or not
	PRIMARY KEY (stream, host, pid)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- Messages that could not be read, with the reason. They were passed.
CREATE TABLE IF NOT EXISTS dead_letter (
	id BIGINT AUTO_INCREMENT PRIMARY KEY,
	stream VARCHAR(100) NOT NULL,
	cluster VARCHAR(100) NOT NULL DEFAULT '',
	topic VARCHAR(250) NOT NULL,
	part BIGINT NOT NULL,
	place BIGINT NOT NULL,			-- its number there, as stream_offset.next counts
	received BIGINT NOT NULL,
	reason VARCHAR(1000) NOT NULL,
	size BIGINT NOT NULL,			-- bytes
	bytes MEDIUMBLOB,				-- NULL: too long to be kept
	kept TINYINT GENERATED ALWAYS AS (bytes IS NOT NULL) STORED,	-- 1: its bytes are there
	waits TINYINT NOT NULL DEFAULT 1,	-- 0: it was taken after all, or dismissed
	asked BIGINT,		-- since when somebody wants it tried again; NULL: nobody does
	tried BIGINT,		-- when it was tried again and could not be read; reason is of then
	replayed BIGINT,		-- when it was taken after all; NULL: it was not
	dismissed BIGINT,		-- when somebody said that it need not be; NULL: nobody did
	UNIQUE (stream, cluster, topic, part, place),
	INDEX dead_letter_waits (stream, waits, id),
	INDEX dead_letter_asked (stream, asked, id)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- Measurements that their survey corrected, by its own number of them, as they were before. What counts now
-- stands in datum.
CREATE TABLE IF NOT EXISTS datum_correction (
	id BIGINT AUTO_INCREMENT PRIMARY KEY,
	target_id BIGINT NOT NULL,
	mjd DOUBLE NOT NULL,
	source VARCHAR(100) NOT NULL,
	kind TINYINT NOT NULL,
	band VARCHAR(100) NOT NULL,
	survey_id BIGINT NOT NULL,
	flux DOUBLE,
	flux_error DOUBLE,
	magnitude DOUBLE,
	magnitude_error DOUBLE,
	limit_mag DOUBLE,
	sign TINYINT NOT NULL,
	created BIGINT NOT NULL,		-- of the row that was replaced
	alert_id BIGINT NOT NULL,		-- the alert that corrected it, by its survey's number
	corrected BIGINT NOT NULL,
	FOREIGN KEY (target_id) REFERENCES target (id) ON DELETE CASCADE
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
