-- The first page.

--: home_state
-- What is done already on a site without targets: people who can sign in (11 stands for more), and
-- whether there is any target at all.
SELECT CAST((SELECT count(*) FROM (SELECT id FROM users WHERE is_active = 1 LIMIT 11) AS few)
	AS BIGINT) AS people,
	CASE WHEN EXISTS (SELECT 1 FROM target) THEN 1 ELSE 0 END AS any_target
