-- throttle.sql: what slows guessing down. See lib/auth/throttle.h.

--: throttle_read
SELECT bucket, failures, last, until FROM throttle WHERE bucket IN (:b0, :b1, :b2, :b3, :b4, :b5)

--: throttle_hold
-- A row for it, held until the transaction ends: who counts at the same time waits.
INSERT INTO throttle (bucket, failures, last, until) VALUES (:bucket, 0, :now, 0)
ON CONFLICT (bucket) DO UPDATE SET failures = throttle.failures

--: throttle_hold mariadb
-- There is no ON CONFLICT here.
INSERT INTO throttle (bucket, failures, last, until) VALUES (:bucket, 0, :now, 0)
ON DUPLICATE KEY UPDATE failures = failures

--: throttle_put
UPDATE throttle SET failures = :failures, last = :last, until = :until WHERE bucket = :bucket

--: throttle_give_back
-- One attempt of a rate.
UPDATE throttle SET until = until - :interval WHERE bucket = :bucket

--: throttle_give_back_one
-- One failure, with the delay as it was before.
UPDATE throttle SET failures = failures - 1, until = :until WHERE bucket = :bucket AND failures > 0

--: throttle_forget
DELETE FROM throttle WHERE bucket = :bucket

--: throttle_purge
-- Rows that say nothing any more, some at a time.
DELETE FROM throttle WHERE bucket IN
	(SELECT bucket FROM throttle WHERE last < :old ORDER BY last LIMIT 50)

--: throttle_purge postgresql
DELETE FROM throttle WHERE bucket IN
	(SELECT bucket FROM throttle WHERE last < :old ORDER BY last LIMIT 50 FOR UPDATE SKIP LOCKED)

--: throttle_purge mariadb
-- LIMIT stands in the DELETE here, and not in a subquery of IN.
DELETE FROM throttle WHERE last < :old ORDER BY last LIMIT 50
