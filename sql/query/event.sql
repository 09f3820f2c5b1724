-- event.sql: the security log.

--: event_add
INSERT INTO security_event (at, kind, user_id, username, actor_id, address, detail, request_id, times)
VALUES (:now, :kind, :user, :username, :actor, :address, :detail, :request, :times)

--: event_purge
-- What is older than it is kept, some at a time.
DELETE FROM security_event WHERE id IN
	(SELECT id FROM security_event WHERE at < :old ORDER BY at, id LIMIT :limit)

--: event_purge mariadb
-- LIMIT stands in the DELETE here, and not in a subquery of IN.
DELETE FROM security_event WHERE at < :old ORDER BY at, id LIMIT :limit

--: event_list
-- The newest first, those before a place; by one index each what is looked for.
SELECT e.id, e.at, e.kind, e.user_id, e.username, e.actor_id, a.username AS actor, e.address,
	e.detail, e.request_id, e.times
FROM security_event e LEFT JOIN users a ON a.id = e.actor_id
WHERE e.at >= :from AND e.at < :to AND e.at <= :before AND (e.at < :before OR e.id < :before_id)
ORDER BY e.at DESC, e.id DESC LIMIT :limit

--: event_list_kind
SELECT e.id, e.at, e.kind, e.user_id, e.username, e.actor_id, a.username AS actor, e.address,
	e.detail, e.request_id, e.times
FROM security_event e LEFT JOIN users a ON a.id = e.actor_id
WHERE e.kind = :kind AND e.at >= :from AND e.at < :to AND e.at <= :before AND (e.at < :before OR e.id < :before_id)
ORDER BY e.at DESC, e.id DESC LIMIT :limit

--: event_list_address
SELECT e.id, e.at, e.kind, e.user_id, e.username, e.actor_id, a.username AS actor, e.address,
	e.detail, e.request_id, e.times
FROM security_event e LEFT JOIN users a ON a.id = e.actor_id
WHERE e.address = :address AND e.at >= :from AND e.at < :to AND e.at <= :before AND (e.at < :before OR e.id < :before_id)
	AND (CAST(:kind AS TEXT) = '' OR e.kind = :kind)
ORDER BY e.at DESC, e.id DESC LIMIT :limit

--: event_list_username
SELECT e.id, e.at, e.kind, e.user_id, e.username, e.actor_id, a.username AS actor, e.address,
	e.detail, e.request_id, e.times
FROM security_event e LEFT JOIN users a ON a.id = e.actor_id
WHERE e.username = :username AND e.at >= :from AND e.at < :to AND e.at <= :before AND (e.at < :before OR e.id < :before_id)
	AND (CAST(:kind AS TEXT) = '' OR e.kind = :kind)
	AND (CAST(:address AS TEXT) = '' OR e.address = :address)
ORDER BY e.at DESC, e.id DESC LIMIT :limit
