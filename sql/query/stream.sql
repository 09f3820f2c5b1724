-- Streams of alerts: how far they were read, how they fare, and what could not be read.

--: offset_begin or-nothing
-- A part of a stream that was never read begins.
INSERT INTO stream_offset (stream, cluster, topic, part, next, done, modified)
VALUES (:stream, :cluster, :topic, :part, :next, 0, :now)

--: offset_read
-- How far a part was read.
SELECT next, done FROM stream_offset
WHERE stream = :stream AND cluster = :cluster AND topic = :topic AND part = :part

--: offset_move
-- ... and further; no row is changed where somebody else has moved it meanwhile.
UPDATE stream_offset SET next = :next, done = :done, modified = :now
WHERE stream = :stream AND cluster = :cluster AND topic = :topic AND part = :part AND next = :expected

--: offset_skip
-- ... over messages that are no more.
UPDATE stream_offset SET next = :next, lost = lost + :lost, modified = :now
WHERE stream = :stream AND cluster = :cluster AND topic = :topic AND part = :part AND next = :expected

--: offset_clusters
-- The clusters that streams were read from, of each stream the latest first.
SELECT stream, cluster, CAST(max(modified) AS BIGINT) AS latest FROM stream_offset WHERE cluster > ''
GROUP BY stream, cluster ORDER BY stream, latest DESC

--: losses
-- How many messages each stream has lost.
SELECT stream, CAST(sum(lost) AS BIGINT) AS n FROM stream_offset WHERE lost > 0
GROUP BY stream ORDER BY stream

--: offsets_done
-- Files of a stream that were read to the end before that time, the oldest first.
SELECT topic, part FROM stream_offset WHERE stream = :stream AND done = 1 AND modified < :before
ORDER BY modified LIMIT 10000

--: offset_forget
-- A part that is no more: a file that was taken away.
DELETE FROM stream_offset
WHERE stream = :stream AND cluster = :cluster AND topic = :topic AND part = :part

--: letter_add or-nothing
-- A message that cannot be read.
INSERT INTO dead_letter (stream, cluster, topic, part, place, received, reason, size, bytes)
VALUES (:stream, :cluster, :topic, :part, :place, :received, :reason, :size, :bytes)

--: letters_after
-- Dead letters that wait, without their bytes, the oldest first.
SELECT id FROM dead_letter WHERE id > :after AND waits = 1 ORDER BY id LIMIT 1000

--: letters_asked
-- Those of a stream that somebody wants tried again.
SELECT id FROM dead_letter WHERE stream = :stream AND asked IS NOT NULL ORDER BY asked, id LIMIT 100

--: letters_of_stream
-- Dead letters of a stream, the newest first, those before a place: that wait, or (`waits` 0) no longer.
SELECT id, topic, part, place, received, reason, size, kept, asked, tried, replayed, dismissed
FROM dead_letter WHERE stream = :stream AND waits = :waits AND id < :before
ORDER BY id DESC LIMIT :limit

--: letter_find
-- Whose a dead letter is, and whether it can be tried again.
SELECT stream, kept, waits FROM dead_letter WHERE id = :id

--: letter_read
-- One dead letter.
SELECT stream, topic, bytes, waits, replayed FROM dead_letter WHERE id = :id

--: letter_ask
-- Somebody wants a dead letter tried again.
UPDATE dead_letter SET asked = :now WHERE id = :id AND waits = 1 AND kept = 1 AND asked IS NULL

--: letters_ask
-- ... the oldest of a stream, as many as are not asked for yet.
UPDATE dead_letter SET asked = :now WHERE id IN (SELECT id FROM dead_letter
	WHERE stream = :stream AND waits = 1 AND kept = 1 AND asked IS NULL ORDER BY id LIMIT 1000)
--: letters_ask mariadb
-- LIMIT stands in the UPDATE here, and not in a subquery of IN.
UPDATE dead_letter SET asked = :now
WHERE stream = :stream AND waits = 1 AND kept = 1 AND asked IS NULL ORDER BY id LIMIT 1000

--: letter_dismiss
-- A dead letter need not be taken.
UPDATE dead_letter SET dismissed = :now, waits = 0, asked = NULL WHERE id = :id AND waits = 1

--: letter_tried
-- A dead letter cannot be read yet either.
UPDATE dead_letter SET tried = :now, reason = :reason, asked = NULL WHERE id = :id AND waits = 1

--: letter_replayed
-- A dead letter was taken after all.
UPDATE dead_letter SET replayed = :now, waits = 0, asked = NULL WHERE id = :id AND replayed IS NULL

--: letters_expire
-- Dead letters of a stream that came before that time, the oldest, are deleted.
DELETE FROM dead_letter WHERE id IN (SELECT id FROM dead_letter
	WHERE stream = :stream AND received < :before ORDER BY id LIMIT 1000)
--: letters_expire mariadb
-- LIMIT stands in the DELETE here, and not in a subquery of IN.
DELETE FROM dead_letter WHERE stream = :stream AND received < :before ORDER BY id LIMIT 1000

--: letters_count
-- How many dead letters of each stream wait, up to 1,001. (Each stream is found by one step into the
-- index, and so is its 1,001st letter.)
WITH RECURSIVE s (stream) AS (
	SELECT min(stream) FROM dead_letter WHERE stream > ''
	UNION ALL
	SELECT (SELECT min(d.stream) FROM dead_letter d WHERE d.stream > s.stream) FROM s
	WHERE s.stream IS NOT NULL)
SELECT s.stream AS stream, CASE WHEN (SELECT d.id FROM dead_letter d WHERE d.stream = s.stream
		AND d.waits = 1 ORDER BY d.id LIMIT 1 OFFSET 1000) IS NOT NULL THEN 1001
	ELSE (SELECT CAST(count(*) AS BIGINT) FROM dead_letter d WHERE d.stream = s.stream
		AND d.waits = 1) END AS n
FROM s WHERE s.stream IS NOT NULL ORDER BY s.stream

--: state_change
-- What a daemon says of one of its streams; no row is changed where what it said last is not there.
UPDATE stream_state SET heartbeat = :now, messages = :messages, alerts = :alerts,
	new_targets = :new_targets, new_points = :new_points, dead = :dead, rate = :rate,
	behind = :behind, last_packet = :last_packet, error = :error, error_at = :error_at
WHERE stream = :stream AND host = :host AND pid = :pid AND heartbeat = :said

--: state_add or-nothing
-- A daemon begins with a stream.
INSERT INTO stream_state (stream, host, pid, started, heartbeat, messages, alerts, new_targets,
	new_points, dead, rate)
VALUES (:stream, :host, :pid, :now, :now, 0, 0, 0, 0, 0, 0)

--: state_remove
-- A daemon has ended.
DELETE FROM stream_state WHERE stream = :stream AND host = :host AND pid = :pid

--: state_expire
-- Daemons that were killed, long ago.
DELETE FROM stream_state WHERE stream = :stream AND heartbeat < :before

--: states
-- What all daemons say.
SELECT stream, host, pid, started, heartbeat, messages, alerts, new_targets, new_points, dead, rate,
	behind, last_packet, error, error_at
FROM stream_state ORDER BY stream, host, pid
