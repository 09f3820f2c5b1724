-- one_time.sql: links for one use. The token itself is nowhere: its SHA-256 is.

--: one_time_add
INSERT INTO one_time (token_hash, purpose, user_id, email, password_changed, created, expires)
VALUES (:token, :purpose, :user, :email, :password_changed, :now, :expires)

--: one_time_find
-- A good one with its account. Another address or a later password voids it. One for another address
-- was sent there.
SELECT o.user_id, o.email AS sent_to, u.username, u.first_name, u.last_name, u.email, u.affiliation,
	u.password_changed, u.is_active, u.pending
FROM one_time o JOIN users u ON u.id = o.user_id
WHERE o.token_hash = :token AND o.purpose = :purpose AND o.expires > :now
	AND (o.email = u.email OR o.purpose = 'address')
	AND o.password_changed = u.password_changed

--: one_time_count
-- How many good ones an account has.
SELECT CAST(COUNT(*) AS BIGINT) AS n FROM one_time
WHERE user_id = :user AND purpose = :purpose AND expires > :now
	AND password_changed = :password_changed

--: one_time_address
-- The newest other address that waits.
SELECT o.email FROM one_time o JOIN users u ON u.id = o.user_id
WHERE o.user_id = :user AND o.purpose = 'address' AND o.expires > :now
	AND o.password_changed = u.password_changed
ORDER BY o.created DESC LIMIT 1

--: one_time_take
-- Who deletes it has it.
DELETE FROM one_time WHERE token_hash = :token AND purpose = :purpose AND expires > :now

--: one_time_end
-- Those of an account, and what expired.
DELETE FROM one_time WHERE (user_id = :user AND purpose = :purpose) OR expires <= :now
