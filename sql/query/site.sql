-- The hosts this TOM answers to. Rows are few: a list is read whole.

--: site_list
-- All sites by domain.
SELECT id, domain, name FROM site ORDER BY domain, id LIMIT 1000

--: site_get
-- One site.
SELECT id, domain, name FROM site WHERE id = :id

--: site_add insert
-- A new site; a taken domain is DB_TAKEN.
INSERT INTO site (domain, name) VALUES (:domain, :name)

--: site_change
-- Gives a site another domain and name.
UPDATE site SET domain = :domain, name = :name WHERE id = :id

--: site_lock
-- The sites, locked: two who delete at the same time see one after the other what is left.
SELECT id FROM site ORDER BY id FOR UPDATE
--: site_lock sqlite
-- (who writes there holds the whole database)
SELECT id FROM site ORDER BY id

--: site_delete
-- Deletes a site.
DELETE FROM site WHERE id = :id
