-- group.sql: groups of users, the principals that most rights are given to.

--: group_add insert
INSERT INTO user_group (name) VALUES (:name)

--: group_by_name
SELECT id, name FROM user_group WHERE name = :name

--: group_get
SELECT id, name FROM user_group WHERE id = :id

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

--: group_ids_of_user
SELECT group_id AS id FROM membership WHERE user_id = :of

--: group_user_ids
SELECT user_id AS id FROM membership WHERE group_id = :of

--: group_lock
-- Before a group is changed.
SELECT id, name FROM user_group WHERE id = :id FOR UPDATE
--: group_lock sqlite
SELECT id, name FROM user_group WHERE id = :id

--: group_rename
UPDATE user_group SET name = :name WHERE id = :id

--: group_delete
-- A group and, by its foreign key, the memberships. Its rights have none: see rights_forget.
DELETE FROM user_group WHERE id = :id
