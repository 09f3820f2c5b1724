-- The list of targets: pieces that lib/tom/target_list.c joins. Every piece calls the target `t`.
--
-- A page is: what is selected, from where (all, ids, a window of the walk, the newest by rights),
-- filters, the key of the page before, the order, the limit. (Why the values of PostgreSQL's come
-- out of sub-selects, and MariaDB's lists out of JSON_TABLE: see target.sql.)

--: targets_select fragment
-- What a row of the list shows.
SELECT t.id, t.name, t.type, t.permissions, t.created, t.modified, t.ra, t.dec, t.scheme

--: targets_select_all fragment
-- Everything, for exports.
SELECT t.*

--: targets_count fragment
-- How many there are, up to the limit.
SELECT CAST(count(*) AS BIGINT) AS n FROM (SELECT t.id

--: targets_count_end fragment
LIMIT 1001) c

--: targets_from_all fragment
-- All targets, in the order of an index.
FROM target t WHERE 1 = 1
--: targets_from_all fragment mariadb
-- It would rather sort the table than walk an order's index for some hundred rows.
FROM target t FORCE INDEX FOR ORDER BY (target_created, target_type, target_ra, target_dec,
	target_modified, name, PRIMARY) WHERE 1 = 1

--: targets_from_ids fragment sqlite
-- Those of a list of ids.
FROM json_each(:ids) j CROSS JOIN target t WHERE t.id = j.value
--: targets_from_ids fragment postgresql
FROM target t WHERE t.id = ANY (CAST((SELECT CAST(:ids AS TEXT)) AS BIGINT[]))
--: targets_from_ids fragment mariadb
-- A list is JSON here (db.h), read by JSON_TABLE; the join order is said, since the optimizer
-- does not know its length.
FROM JSON_TABLE(:ids, '$[*]' COLUMNS (id BIGINT PATH '$')) j STRAIGHT_JOIN target t ON t.id = j.id WHERE 1 = 1

--: targets_window_begin fragment
-- A bounded number of targets in the order of an index; filters come after the window.
FROM (SELECT t.id, t.name, t.type, t.permissions, t.created, t.modified, t.ra, t.dec, t.scheme
FROM target t WHERE 1 = 1
--: targets_window_begin fragment mariadb
-- MariaDB makes a table of the window first: of ids alone, which the order's index has. The rows are
-- looked up after it until the page is full.
FROM (SELECT t.id AS in_window FROM target t FORCE INDEX FOR ORDER BY (target_created, target_type, target_ra, target_dec,
	target_modified, name, PRIMARY)
WHERE 1 = 1

--: targets_window_end fragment
LIMIT 10000) t WHERE 1 = 1
--: targets_window_end fragment mariadb
-- Ids of the window first, then their rows: it would sort whole rows otherwise.
LIMIT 10000) w STRAIGHT_JOIN target t ON t.id = w.in_window WHERE 1 = 1

--: targets_count_window_end fragment
-- Counting looks at fewer.
LIMIT 4000) t WHERE 1 = 1
--: targets_count_window_end fragment mariadb
-- The same.
LIMIT 4000) w STRAIGHT_JOIN target t ON t.id = w.in_window WHERE 1 = 1

--: targets_boundary_begin fragment
-- The last row of a window.
FROM target t WHERE 1 = 1
--: targets_boundary_begin fragment mariadb
-- It sorts the table rather than walk the index, unless told.
FROM (SELECT t.id AS last FROM target t FORCE INDEX FOR ORDER BY (target_created, target_type, target_ra, target_dec,
	target_modified, name, PRIMARY)
WHERE 1 = 1

--: targets_boundary_end fragment
LIMIT 1 OFFSET 9999
--: targets_boundary_end fragment mariadb
-- Ids first here, too.
LIMIT 1 OFFSET 9999) w STRAIGHT_JOIN target t ON t.id = w.last

--: targets_limit_page fragment
-- A page of the usual size and the row after it. Written out, because PostgreSQL plans for it.
LIMIT 21

--: targets_limit_newest fragment
-- The same of the first page's list.
LIMIT 11

--: targets_limit fragment
LIMIT :limit

--: targets_limit_batch fragment
-- Rows of an export read at a time.
LIMIT 500

--: targets_newest_first fragment sqlite
-- The newest of each principal, merged: SQLite stops each principal's run at the limit. (Rows come in
-- the order of the inner select, which is sorted again in C; asking for it twice costs a quarter.)
FROM (SELECT DISTINCT r.target_id, r.created FROM rights r
WHERE r.principal IN (SELECT value FROM json_each(:principals))
AND (r.created, r.target_id) < (:value, :id) ORDER BY r.created DESC, r.target_id DESC
--: targets_newest_first fragment postgresql
FROM (SELECT DISTINCT r.target_id, r.created FROM unnest(CAST((SELECT CAST(:principals AS TEXT)) AS BIGINT[])) AS p (id)
CROSS JOIN LATERAL (SELECT n.target_id, n.created FROM rights n WHERE n.principal = p.id
AND (n.created, n.target_id) < ((SELECT CAST(:value AS BIGINT)), (SELECT CAST(:id AS BIGINT)))
ORDER BY n.created DESC, n.target_id DESC
--: targets_newest_first fragment mariadb
-- One principal's; those of the others follow (targets_newest_more).
FROM ((SELECT target_id, created FROM rights WHERE principal = :principal
AND (created, target_id) < (:value, :id) ORDER BY created DESC, target_id DESC

--: targets_newest_then fragment
-- PostgreSQL and MariaDB: the merge's own order, and its limit after it.
) r ORDER BY r.created DESC, r.target_id DESC
--: targets_newest_then fragment mariadb
-- A UNION of each principal's newest (see targets_newest_first): the order of all.
) ORDER BY created DESC, target_id DESC

--: targets_newest_end fragment
) r CROSS JOIN target t WHERE t.id = r.target_id

--: targets_oldest_first fragment sqlite
-- The same from the other end.
FROM (SELECT DISTINCT r.target_id, r.created FROM rights r
WHERE r.principal IN (SELECT value FROM json_each(:principals))
AND (r.created, r.target_id) > (:value, :id) ORDER BY r.created, r.target_id
--: targets_oldest_first fragment postgresql
FROM (SELECT DISTINCT r.target_id, r.created FROM unnest(CAST((SELECT CAST(:principals AS TEXT)) AS BIGINT[])) AS p (id)
CROSS JOIN LATERAL (SELECT n.target_id, n.created FROM rights n WHERE n.principal = p.id
AND (n.created, n.target_id) > ((SELECT CAST(:value AS BIGINT)), (SELECT CAST(:id AS BIGINT)))
ORDER BY n.created, n.target_id
--: targets_oldest_first fragment mariadb
-- A UNION of limited selects, one a principal: EXISTS over rights reads everything here.
FROM ((SELECT target_id, created FROM rights WHERE principal = :principal
AND (created, target_id) > (:value, :id) ORDER BY created, target_id

--: targets_newest_more fragment
-- MariaDB: it stops early for one principal, but not for a list of them.
) UNION (SELECT target_id, created FROM rights WHERE principal = :principal
AND (created, target_id) < (:value, :id) ORDER BY created DESC, target_id DESC

--: targets_oldest_more fragment
) UNION (SELECT target_id, created FROM rights WHERE principal = :principal
AND (created, target_id) > (:value, :id) ORDER BY created, target_id

--: targets_oldest_then fragment
-- PostgreSQL and MariaDB: the merge's own order, and its limit after it.
) r ORDER BY r.created, r.target_id
--: targets_oldest_then fragment mariadb
-- The order of all of them.
) ORDER BY created, target_id

--: targets_oldest_end fragment
) r CROSS JOIN target t WHERE t.id = r.target_id

--: targets_count_visible sqlite
-- How many targets these principals see, up to 1,001. Where one of them alone sees as many, the
-- rest need not be compared. (The order keeps PostgreSQL to the index: a scan for a principal
-- with few rows would read the table.)
SELECT COALESCE((SELECT 1001 FROM json_each(:principals) p WHERE (SELECT count(*) FROM
(SELECT 1 FROM rights r WHERE r.principal = p.value LIMIT 1001)) > 1000 LIMIT 1),
(SELECT count(*) FROM (SELECT DISTINCT r.target_id FROM rights r
WHERE r.principal IN (SELECT value FROM json_each(:principals)) LIMIT 1001))) AS n
--: targets_count_visible postgresql
SELECT CAST(COALESCE((SELECT 1001 FROM unnest(CAST((SELECT CAST(:principals AS TEXT)) AS BIGINT[])) AS p (id) WHERE (SELECT count(*)
FROM (SELECT 1 FROM rights r WHERE r.principal = p.id
ORDER BY r.created DESC, r.target_id DESC LIMIT 1001) c) > 1000 LIMIT 1),
(SELECT count(*) FROM (SELECT DISTINCT n.target_id FROM unnest(CAST((SELECT CAST(:principals AS TEXT)) AS BIGINT[])) AS p (id)
CROSS JOIN LATERAL (SELECT r.target_id FROM rights r WHERE r.principal = p.id
ORDER BY r.created DESC, r.target_id DESC LIMIT 1001) n) d)) AS BIGINT) AS n
--: targets_count_visible mariadb
-- DISTINCT stops at the limit.
SELECT count(*) AS n FROM (SELECT DISTINCT r.target_id
FROM JSON_TABLE(:principals, '$[*]' COLUMNS (id BIGINT PATH '$')) p
STRAIGHT_JOIN rights r ON r.principal = p.id LIMIT 1001) c

--: targets_created_up fragment
ORDER BY t.created, t.id

--: targets_after_created_up fragment
AND (t.created, t.id) > (:value, :id)

--: targets_created_down fragment
ORDER BY t.created DESC, t.id DESC

--: targets_after_created_down fragment
AND (t.created, t.id) < (:value, :id)

--: targets_modified_up fragment
ORDER BY t.modified, t.id

--: targets_after_modified_up fragment
AND (t.modified, t.id) > (:value, :id)

--: targets_modified_down fragment
ORDER BY t.modified DESC, t.id DESC

--: targets_after_modified_down fragment
AND (t.modified, t.id) < (:value, :id)

--: targets_ra_up fragment
ORDER BY t.ra, t.id

--: targets_after_ra_up fragment
AND (t.ra, t.id) > (:value, :id)

--: targets_ra_down fragment
ORDER BY t.ra DESC, t.id DESC

--: targets_after_ra_down fragment
AND (t.ra, t.id) < (:value, :id)

--: targets_dec_up fragment
ORDER BY t.dec, t.id

--: targets_after_dec_up fragment
AND (t.dec, t.id) > (:value, :id)

--: targets_dec_down fragment
ORDER BY t.dec DESC, t.id DESC

--: targets_after_dec_down fragment
AND (t.dec, t.id) < (:value, :id)

--: targets_name_up fragment
ORDER BY t.name

--: targets_after_name_up fragment
AND t.name > :value

--: targets_id_up fragment
ORDER BY t.id

--: targets_after_id_up fragment
AND t.id > :id

--: targets_name_down fragment
ORDER BY t.name DESC

--: targets_after_name_down fragment
AND t.name < :value

--: targets_id_down fragment
ORDER BY t.id DESC

--: targets_after_id_down fragment
AND t.id < :id

--: targets_with_ra fragment
-- Positions that are not known come last, whichever way the list runs.
AND t.ra IS NOT NULL

--: targets_without_ra fragment
AND t.ra IS NULL

--: targets_with_dec fragment
AND t.dec IS NOT NULL

--: targets_without_dec fragment
AND t.dec IS NULL

--: targets_of_type fragment
AND t.type = :type

--: targets_visible fragment sqlite
-- Rights, row by row.
AND EXISTS (SELECT 1 FROM rights r WHERE r.target_id = t.id
AND r.principal IN (SELECT value FROM json_each(:principals)))
--: targets_visible fragment postgresql
AND EXISTS (SELECT 1 FROM rights r WHERE r.target_id = t.id
AND r.principal = ANY (CAST((SELECT CAST(:principals AS TEXT)) AS BIGINT[])))
--: targets_visible fragment mariadb
-- A list is JSON here; JSON_CONTAINS looks into it for each of the few rows of rights.
AND EXISTS (SELECT 1 FROM rights r WHERE r.target_id = t.id
AND JSON_CONTAINS(:principals, CAST(r.principal AS CHAR)))

--: targets_named_begin fragment
-- A part of one of its names: begin, one or more parts with `or` between, end.
AND EXISTS (SELECT 1 FROM target_name n WHERE n.target_id = t.id AND (

--: targets_named_part fragment
instr(n.match_key, :part) > 0
--: targets_named_part fragment postgresql
strpos(n.match_key, :part) > 0

--: targets_named_or fragment
OR

--: targets_named_end fragment
))

--: targets_in_list fragment
AND EXISTS (SELECT 1 FROM target_list_member m WHERE m.list_id = :list AND m.target_id = t.id)

--: targets_extra_key fragment
AND EXISTS (SELECT 1 FROM target_extra e WHERE e.target_id = t.id AND e."key" = :key)

--: targets_extra_value fragment
AND EXISTS (SELECT 1 FROM target_extra e WHERE e.target_id = t.id AND e.value = :value)

--: targets_extra_both fragment
AND EXISTS (SELECT 1 FROM target_extra e WHERE e.target_id = t.id AND e."key" = :key AND e.value = :value)

--: targets_in_cone fragment
-- The haversine of the distance (lib/sky/cone.h); what moves has no place, whatever its fields say.
AND t.type = 'SIDEREAL' AND (sin(radians((t.dec - :dec) / 2)) * sin(radians((t.dec - :dec) / 2))
+ cos(radians(t.dec)) * :cosine * sin(radians((t.ra - :ra) / 2)) * sin(radians((t.ra - :ra) / 2)))
<= :limit

-- The ids that a filter's own index gives, up to one more than TARGET_MATCHES.

--: match_part sqlite custom-plan
-- A part of names of three letters up; `pattern` is a phrase of FTS5.
SELECT n.target_id AS id FROM name_part p JOIN target_name n ON n.id = p.rowid
WHERE p.match_key MATCH :pattern LIMIT 2001
--: match_part postgresql custom-plan
-- `pattern` is one of LIKE.
SELECT n.target_id AS id FROM target_name n WHERE n.match_key LIKE :pattern LIMIT 2001
--: match_part mariadb custom-plan
-- `pattern` is one of LIKE, for the beginning of an ending.
SELECT DISTINCT n.target_id AS id FROM name_part p STRAIGHT_JOIN target_name n ON n.id = p.name_id
WHERE p.ending LIKE :pattern LIMIT 2001

--: match_list
SELECT target_id AS id FROM target_list_member WHERE list_id = :list LIMIT 2001

--: match_extra_key
SELECT target_id AS id FROM target_extra WHERE "key" = :key LIMIT 2001

--: match_extra_both
SELECT target_id AS id FROM target_extra WHERE "key" = :key AND value = :value LIMIT 2001
--: match_extra_both postgresql
-- The index holds the beginning of a value only.
SELECT target_id AS id FROM target_extra
WHERE "key" = :key AND left(value, 200) = left(:value, 200) AND value = :value LIMIT 2001

--: visible_many sqlite
-- Does one of these principals alone see more than TARGET_VISIBLE? Then a row: who sees that many is
-- not asked for all of them.
SELECT p.value AS id FROM json_each(:principals) p
WHERE (SELECT r.target_id FROM rights r WHERE r.principal = p.value LIMIT 1 OFFSET 5000) IS NOT NULL
LIMIT 1
--: visible_many postgresql
SELECT p.id FROM unnest(CAST((SELECT CAST(:principals AS TEXT)) AS BIGINT[])) AS p (id)
WHERE (SELECT r.target_id FROM rights r WHERE r.principal = p.id
	ORDER BY r.created DESC, r.target_id DESC LIMIT 1 OFFSET 5000) IS NOT NULL LIMIT 1
--: visible_many mariadb
-- A list is JSON here (db.h), read by JSON_TABLE; the join order is said, since the optimizer
-- does not know its length.
SELECT p.id FROM JSON_TABLE(:principals, '$[*]' COLUMNS (id BIGINT PATH '$')) p
WHERE (SELECT r.target_id FROM rights r WHERE r.principal = p.id LIMIT 1 OFFSET 5000) IS NOT NULL
LIMIT 1

--: match_visible sqlite
-- All that these principals see, up to one more than TARGET_VISIBLE.
SELECT DISTINCT target_id AS id FROM rights
WHERE principal IN (SELECT value FROM json_each(:principals)) LIMIT 5001
--: match_visible postgresql
SELECT DISTINCT n.target_id AS id FROM unnest(CAST((SELECT CAST(:principals AS TEXT)) AS BIGINT[])) AS p (id)
CROSS JOIN LATERAL (SELECT r.target_id FROM rights r WHERE r.principal = p.id
ORDER BY r.created DESC, r.target_id DESC LIMIT 5001) n LIMIT 5001
--: match_visible mariadb
-- A list is JSON here (db.h), read by JSON_TABLE; the join order is said, since the optimizer
-- does not know its length.
SELECT DISTINCT r.target_id AS id
FROM JSON_TABLE(:principals, '$[*]' COLUMNS (id BIGINT PATH '$')) p
STRAIGHT_JOIN rights r ON r.principal = p.id LIMIT 5001

--: match_cone sqlite
-- The targets of a cone; `strips` is a JSON array of [zone, from, to] (lib/sky/cone.h).
SELECT t.id FROM json_each(:strips) s CROSS JOIN target t
WHERE t.zone = json_extract(s.value, '$[0]')
AND t.ra BETWEEN json_extract(s.value, '$[1]') AND json_extract(s.value, '$[2]')
AND (sin(radians((t.dec - :dec) / 2)) * sin(radians((t.dec - :dec) / 2))
+ cos(radians(t.dec)) * :cosine * sin(radians((t.ra - :ra) / 2)) * sin(radians((t.ra - :ra) / 2)))
<= :limit LIMIT 2001
--: match_cone postgresql
SELECT t.id FROM json_array_elements(CAST(:strips AS json)) s
JOIN target t ON t.zone = CAST(s.value ->> 0 AS INTEGER)
AND t.ra BETWEEN CAST(s.value ->> 1 AS DOUBLE PRECISION) AND CAST(s.value ->> 2 AS DOUBLE PRECISION)
WHERE (sin(radians((t.dec - :dec) / 2)) * sin(radians((t.dec - :dec) / 2))
+ cos(radians(t.dec)) * :cosine * sin(radians((t.ra - :ra) / 2)) * sin(radians((t.ra - :ra) / 2)))
<= :limit LIMIT 2001
--: match_cone mariadb
-- (Many strips: of each zone all right ascensions are looked through. Few are written out, below.)
SELECT t.id FROM JSON_TABLE(:strips, '$[*]' COLUMNS (zone INTEGER PATH '$[0]',
	first DOUBLE PATH '$[1]', last DOUBLE PATH '$[2]')) s
STRAIGHT_JOIN target t ON t.zone = s.zone AND t.ra BETWEEN s.first AND s.last
WHERE (sin(radians((t.dec - :dec) / 2)) * sin(radians((t.dec - :dec) / 2))
+ cos(radians(t.dec)) * :cosine * sin(radians((t.ra - :ra) / 2)) * sin(radians((t.ra - :ra) / 2)))
<= :limit LIMIT 2001

--: cone_begin fragment
-- MariaDB: strips as a list of ranges, of which it reads just what is in them: begin, strips with
-- targets_named_or between, end, targets_in_cone, limit.
SELECT t.id FROM target t WHERE (

--: cone_strip fragment
(t.zone = :zone AND t.ra BETWEEN :first AND :last)

--: cone_end fragment
)

--: cone_limit fragment
LIMIT 2001

--: aliases_of sqlite
-- The other names of some targets, oldest first.
SELECT n.target_id, n.id, n.name FROM json_each(:ids) j JOIN target_name n ON n.target_id = j.value
WHERE n.is_primary = 0 ORDER BY n.target_id, n.id
--: aliases_of postgresql
SELECT target_id, id, name FROM target_name
WHERE target_id = ANY (CAST(:ids AS BIGINT[])) AND is_primary = 0 ORDER BY target_id, id
--: aliases_of mariadb
-- A list is JSON here (db.h), read by JSON_TABLE; the join order is said, since the optimizer
-- does not know its length.
SELECT n.target_id, n.id, n.name FROM JSON_TABLE(:ids, '$[*]' COLUMNS (id BIGINT PATH '$')) j
STRAIGHT_JOIN target_name n ON n.target_id = j.id
WHERE n.is_primary = 0 ORDER BY n.target_id, n.id

--: extras_of sqlite
-- What else is known of some targets, by key.
SELECT e.target_id, e.id, e."key", e.value FROM json_each(:ids) j
JOIN target_extra e ON e.target_id = j.value ORDER BY e.target_id, e."key"
--: extras_of postgresql
SELECT target_id, id, "key", value FROM target_extra
WHERE target_id = ANY (CAST(:ids AS BIGINT[])) ORDER BY target_id, "key"
--: extras_of mariadb
-- A list is JSON here (db.h), read by JSON_TABLE; the join order is said, since the optimizer
-- does not know its length.
SELECT e.target_id, e.id, e."key", e.value FROM JSON_TABLE(:ids, '$[*]' COLUMNS (id BIGINT PATH '$')) j
STRAIGHT_JOIN target_extra e ON e.target_id = j.id ORDER BY e.target_id, e."key"
