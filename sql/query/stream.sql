-- Streams of alerts: how far they were read, how they fare, and what could not be read.

--: offset_begin or-nothing
-- A part of a stream that was never read begins.
INSERT INTO stream_offset (stream, topic, part, next, done, modified)
VALUES (:stream, :topic, :part, :next, 0, :now)

--: offset_read
-- How far a part was read.
SELECT next, done FROM stream_offset WHERE stream = :stream AND topic = :topic AND part = :part

--: offset_move
-- ... and further; no row is changed where somebody else has moved it meanwhile.
UPDATE stream_offset SET next = :next, done = :done, modified = :now
WHERE stream = :stream AND topic = :topic AND part = :part AND next = :expected

--: offsets_of_stream stream
-- How far all parts of a stream were read.
SELECT topic, part, next, done FROM stream_offset WHERE stream = :stream ORDER BY topic, part

--: offset_forget
-- A part that is no more: a file that was taken away.
DELETE FROM stream_offset WHERE stream = :stream AND topic = :topic AND part = :part

--: letter_add or-nothing
-- A message that cannot be read.
INSERT INTO dead_letter (stream, topic, part, place, received, reason, size, bytes)
VALUES (:stream, :topic, :part, :place, :received, :reason, :size, :bytes)

--: letters_after
-- Dead letters that were not taken yet, without their bytes, the oldest first.
SELECT id, stream, topic, part, place, received, reason, size FROM dead_letter
WHERE id > :after AND replayed IS NULL ORDER BY id LIMIT 1000

--: letter_read
-- One dead letter.
SELECT id, stream, topic, part, place, reason, size, bytes, replayed FROM dead_letter WHERE id = :id

--: letter_replayed
-- A dead letter was taken after all.
UPDATE dead_letter SET replayed = :now WHERE id = :id AND replayed IS NULL

--: letters_count
-- How many dead letters each stream has that were not taken yet.
SELECT stream, CAST(count(*) AS BIGINT) AS n FROM dead_letter WHERE replayed IS NULL
GROUP BY stream ORDER BY stream

--: state_change
-- What a daemon says of one of its streams.
UPDATE stream_state SET heartbeat = :now, messages = :messages, alerts = :alerts,
	new_targets = :new_targets, new_points = :new_points, dead = :dead, rate = :rate,
	behind = :behind, last_packet = :last_packet, error = :error, error_at = :error_at
WHERE stream = :stream AND host = :host AND pid = :pid

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
