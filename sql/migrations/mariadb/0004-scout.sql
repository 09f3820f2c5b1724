-- Scout: the objects of the NEO Confirmation Page as JPL judges them, and each analysis of them.
--
-- Each statement can be run again. sql/migrations/sqlite/ has the same tables.

-- An object, with the values of its last analysis. What is NULL of them was not told.
CREATE TABLE IF NOT EXISTS scout_object (
	id BIGINT AUTO_INCREMENT PRIMARY KEY,
	name VARCHAR(40) NOT NULL UNIQUE CHECK (name <> ''),	-- the temporary designation
	state VARCHAR(20) NOT NULL,			-- 'active', 'left'; as the MPC says: 'confirmed', 'unconfirmed', 'nonexistent', 'artificial', 'no-minor-planet'
	designation VARCHAR(100) NOT NULL,		-- confirmed: as what; else ''
	sight BIGINT NOT NULL,		-- id of its audience
	first_seen BIGINT NOT NULL,		-- in the list
	last_seen BIGINT NOT NULL,
	missed BIGINT NOT NULL,			-- lists in a row that it was not in
	settled BIGINT,				-- when the MPC had said what it is; NULL: it has not
	target_id BIGINT,
	note VARCHAR(20) NOT NULL,			-- why it has no target: 'cut'; or ''
	asked_run BIGINT,			-- last_run of the analysis whose orbits were asked for; NULL: none were
	last_run BIGINT NOT NULL,		-- microseconds, UTC
	ephemeris BIGINT,		-- microseconds, UTC: when position, magnitude, rate and uncertainty hold
	ra DOUBLE,		-- degrees, J2000, to 0.25 degrees
	"dec" DOUBLE,		-- degrees, to 1 degree
	elongation DOUBLE,		-- of the Sun, degrees
	v_mag DOUBLE,
	rate DOUBLE,		-- arcseconds/minute
	uncertainty DOUBLE,		-- arcminutes, 1 sigma
	uncertainty_later DOUBLE,		-- the same, a day later
	abs_mag DOUBLE,		-- H
	observations BIGINT,
	arc DOUBLE,		-- hours
	rms DOUBLE,		-- of the weighted residuals of the best orbit
	moid DOUBLE,		-- au, of the Earth's orbit
	close_approach DOUBLE,		-- lunar distances
	v_inf DOUBLE,		-- km/s
	rating BIGINT,		-- of an impact: 0 to 4
	neo_score BIGINT,		-- these six: 0 to 100
	neo_1km_score BIGINT,
	pha_score BIGINT,
	ieo_score BIGINT,
	geocentric_score BIGINT,
	tisserand_score BIGINT,
	orbits BIGINT,		-- samples of that run that were read; NULL: it was not asked for them
	orbit BIGINT,		-- Scout's number of the one whose elements the target has; NULL: none
	INDEX scout_object_target (target_id),
	INDEX scout_object_state (state),
	FOREIGN KEY (target_id) REFERENCES target (id) ON DELETE SET NULL
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- Its analyses, each once.
CREATE TABLE IF NOT EXISTS scout_run (
	object_id BIGINT NOT NULL,
	last_run BIGINT NOT NULL,
	received BIGINT NOT NULL,
	ephemeris BIGINT,		-- microseconds, UTC: when position, magnitude, rate and uncertainty hold
	ra DOUBLE,		-- degrees, J2000, to 0.25 degrees
	"dec" DOUBLE,		-- degrees, to 1 degree
	elongation DOUBLE,		-- of the Sun, degrees
	v_mag DOUBLE,
	rate DOUBLE,		-- arcseconds/minute
	uncertainty DOUBLE,		-- arcminutes, 1 sigma
	uncertainty_later DOUBLE,		-- the same, a day later
	abs_mag DOUBLE,		-- H
	observations BIGINT,
	arc DOUBLE,		-- hours
	rms DOUBLE,		-- of the weighted residuals of the best orbit
	moid DOUBLE,		-- au, of the Earth's orbit
	close_approach DOUBLE,		-- lunar distances
	v_inf DOUBLE,		-- km/s
	rating BIGINT,		-- of an impact: 0 to 4
	neo_score BIGINT,		-- these six: 0 to 100
	neo_1km_score BIGINT,
	pha_score BIGINT,
	ieo_score BIGINT,
	geocentric_score BIGINT,
	tisserand_score BIGINT,
	orbits BIGINT,		-- samples of that run that were read; NULL: it was not asked for them
	orbit BIGINT,		-- Scout's number of the one whose elements the target has; NULL: none
	PRIMARY KEY (object_id, last_run),
	FOREIGN KEY (object_id) REFERENCES scout_object (id) ON DELETE CASCADE
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
