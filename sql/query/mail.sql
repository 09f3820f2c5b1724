-- mail.sql: the queue of mail. A mail waits while next_try is set; a body is gone once it does not.

--: mail_add
-- (No `insert`: to give its number PostgreSQL would want the right to read the table.)
INSERT INTO mail (created, recipient, recipient_key, subject, body, next_try)
VALUES (:now, :to, :key, :subject, :body, :now)

--: mail_recent
-- How much an address got lately.
SELECT CAST(COUNT(*) AS BIGINT) AS day,
	CAST(COALESCE(SUM(CASE WHEN created > :hour THEN 1 ELSE 0 END), 0) AS BIGINT) AS hour
FROM mail WHERE recipient_key = :key AND created > :day

--: mail_list
-- All but the bodies.
SELECT id, created, recipient, subject, attempts, next_try, sent, error FROM mail
WHERE id > :after ORDER BY id LIMIT :limit

--: mail_due
-- What is to be sent now, the oldest first.
SELECT id, created, recipient, subject, body, attempts, next_try FROM mail
WHERE next_try <= :now ORDER BY next_try LIMIT 8

--: mail_claim
-- Takes one that was seen to be due, unless somebody else did.
UPDATE mail SET next_try = :lease, attempts = attempts + 1
WHERE id = :id AND next_try = :seen AND attempts = :attempts

--: mail_done
UPDATE mail SET sent = :now, next_try = NULL, body = '', error = ''
WHERE id = :id AND attempts = :attempts

--: mail_later
UPDATE mail SET next_try = :next, error = :error WHERE id = :id AND attempts = :attempts

--: mail_give_up
UPDATE mail SET next_try = NULL, body = '', error = :error WHERE id = :id AND attempts = :attempts

--: mail_retry
-- One that waits is due now. (The body of what was given up is gone.)
UPDATE mail SET next_try = :now WHERE id = :id AND next_try IS NOT NULL

--: mail_drop
DELETE FROM mail WHERE id = :id

--: mail_purge
DELETE FROM mail WHERE next_try IS NULL AND created < :before
