-- group.sql: groups of users, the principals that most rights are given to.

--: group_add insert
INSERT INTO user_group (name) VALUES (:name)

--: group_by_name
SELECT id, name FROM user_group WHERE name = :name

--: group_list
SELECT id, name FROM user_group WHERE name > :after ORDER BY name LIMIT :limit

--: group_list_of
-- The groups that someone is a member of.
SELECT g.id, g.name FROM membership m JOIN user_group g ON g.id = m.group_id
WHERE m.user_id = :user ORDER BY g.name LIMIT :limit

--: group_join or-nothing
INSERT INTO membership (user_id, group_id) VALUES (:user, :group)

--: group_leave
DELETE FROM membership WHERE user_id = :user AND group_id = :group
