-- event.sql: the security log.

--: event_add
INSERT INTO security_event (at, kind, user_id, username, actor_id, address, detail, request_id)
VALUES (:now, :kind, :user, :username, :actor, :address, :detail, :request)
