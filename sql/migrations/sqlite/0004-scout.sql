-- Scout: the objects of the NEO Confirmation Page as JPL judges them, and each analysis of them.
--
-- sql/migrations/postgresql/ has the same tables.

-- An object, with the values of its last analysis. What is NULL of them was not told.
CREATE TABLE scout_object (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	name TEXT NOT NULL UNIQUE CHECK (name <> ''),	-- the temporary designation
	state TEXT NOT NULL,			-- 'active', 'left'; as the MPC says: 'confirmed', 'unconfirmed', 'nonexistent', 'artificial', 'no-minor-planet'
	designation TEXT NOT NULL,		-- confirmed: as what; else ''
	sight INTEGER NOT NULL,		-- id of its audience
	first_seen INTEGER NOT NULL,		-- in the list
	last_seen INTEGER NOT NULL,
	missed INTEGER NOT NULL,			-- lists in a row that it was not in
	settled INTEGER,				-- when the MPC had said what it is; NULL: it has not
	target_id INTEGER REFERENCES target (id) ON DELETE SET NULL,
	note TEXT NOT NULL,			-- why it has no target: 'cut'; or ''
	asked_run INTEGER,			-- last_run of the analysis whose orbits were asked for; NULL: none were
	last_run INTEGER NOT NULL,		-- microseconds, UTC
	ephemeris INTEGER,		-- microseconds, UTC: when position, magnitude, rate and uncertainty hold
	ra REAL,		-- degrees, J2000, to 0.25 degrees
	"dec" REAL,		-- degrees, to 1 degree
	elongation REAL,		-- of the Sun, degrees
	v_mag REAL,
	rate REAL,		-- arcseconds/minute
	uncertainty REAL,		-- arcminutes, 1 sigma
	uncertainty_later REAL,		-- the same, a day later
	abs_mag REAL,		-- H
	observations INTEGER,
	arc REAL,		-- hours
	rms REAL,		-- of the weighted residuals of the best orbit
	moid REAL,		-- au, of the Earth's orbit
	close_approach REAL,		-- lunar distances
	v_inf REAL,		-- km/s
	rating INTEGER,		-- of an impact: 0 to 4
	neo_score INTEGER,		-- these six: 0 to 100
	neo_1km_score INTEGER,
	pha_score INTEGER,
	ieo_score INTEGER,
	geocentric_score INTEGER,
	tisserand_score INTEGER,
	orbits INTEGER,		-- samples of that run that were read; NULL: it was not asked for them
	orbit INTEGER		-- Scout's number of the one whose elements the target has; NULL: none
) STRICT;
CREATE INDEX scout_object_target ON scout_object (target_id) WHERE target_id IS NOT NULL;
CREATE INDEX scout_object_state ON scout_object (state);

-- Its analyses, each once.
CREATE TABLE scout_run (
	object_id INTEGER NOT NULL REFERENCES scout_object (id) ON DELETE CASCADE,
	last_run INTEGER NOT NULL,
	received INTEGER NOT NULL,
	ephemeris INTEGER,		-- microseconds, UTC: when position, magnitude, rate and uncertainty hold
	ra REAL,		-- degrees, J2000, to 0.25 degrees
	"dec" REAL,		-- degrees, to 1 degree
	elongation REAL,		-- of the Sun, degrees
	v_mag REAL,
	rate REAL,		-- arcseconds/minute
	uncertainty REAL,		-- arcminutes, 1 sigma
	uncertainty_later REAL,		-- the same, a day later
	abs_mag REAL,		-- H
	observations INTEGER,
	arc REAL,		-- hours
	rms REAL,		-- of the weighted residuals of the best orbit
	moid REAL,		-- au, of the Earth's orbit
	close_approach REAL,		-- lunar distances
	v_inf REAL,		-- km/s
	rating INTEGER,		-- of an impact: 0 to 4
	neo_score INTEGER,		-- these six: 0 to 100
	neo_1km_score INTEGER,
	pha_score INTEGER,
	ieo_score INTEGER,
	geocentric_score INTEGER,
	tisserand_score INTEGER,
	orbits INTEGER,		-- samples of that run that were read; NULL: it was not asked for them
	orbit INTEGER,		-- Scout's number of the one whose elements the target has; NULL: none
	PRIMARY KEY (object_id, last_run)
) STRICT, WITHOUT ROWID;
