/*
 * one_time: links for one use, and the statements that find them and use them up.
 */
#include "auth/one_time.h"

static const char *const purposes[] = {
	[ONE_TIME_RESET] = "reset",
	[ONE_TIME_EMAIL] = "email",
	[ONE_TIME_ADDRESS] = "address",
};

/* What the table has for a token; false where the text is none of ours. */
static bool
hash(struct secret *secret, struct str token, uint8_t out[SECRET_SIZE])
{
	uint8_t bytes[SECRET_SIZE];

	if (token.n != SECRET_TEXT || !secret_decode(token, bytes, sizeof(bytes)))
		return false;
	secret_hash(secret, (struct str){ (const char *)bytes, sizeof(bytes) }, out);
	return true;
}

enum db_result
one_time_add(struct db *db, struct arena *a, struct secret *secret, enum one_time_purpose purpose,
    const struct one_time *account, int64_t now, int64_t expires, struct str *token)
{
	uint8_t bytes[SECRET_SIZE], hashed[SECRET_SIZE];
	struct query *q = db_query(db, QUERY_ONE_TIME_ADD);

	secret_random(bytes, sizeof(bytes));
	*token = secret_encode(a, bytes, sizeof(bytes));
	secret_hash(secret, (struct str){ (const char *)bytes, sizeof(bytes) }, hashed);
	db_bytes(q, "token", hashed, sizeof(hashed));
	db_text(q, "purpose", str_of(purposes[purpose]));
	db_int(q, "user", account->user);
	db_text(q, "email", account->email);
	db_int(q, "password_changed", account->password_changed);
	db_int(q, "now", now);
	db_int(q, "expires", expires);
	return db_run(q);
}

enum db_result
one_time_address(struct db *db, struct arena *a, int64_t user, int64_t now, struct str *address)
{
	struct query *q = db_query(db, QUERY_ONE_TIME_ADDRESS);
	bool there = false;
	enum db_result r;

	db_int(q, "user", user);
	db_int(q, "now", now);
	while (db_step(q) == DB_ROW) {
		there = true;
		*address = db_col_copy(q, "email", a);
	}
	r = db_done(q);
	return r == DB_END && there ? DB_ROW : r;
}

enum db_result
one_time_count(struct db *db, enum one_time_purpose purpose, const struct one_time *account,
    int64_t now, int64_t *n)
{
	struct query *q = db_query(db, QUERY_ONE_TIME_COUNT);

	*n = 0;
	db_int(q, "user", account->user);
	db_text(q, "purpose", str_of(purposes[purpose]));
	db_int(q, "now", now);
	db_int(q, "password_changed", account->password_changed);
	while (db_step(q) == DB_ROW)
		*n = db_col_int(q, "n");
	return db_done(q);
}

enum db_result
one_time_find(struct db *db, struct arena *a, struct secret *secret, enum one_time_purpose purpose,
    struct str token, int64_t now, struct one_time *found)
{
	uint8_t hashed[SECRET_SIZE];
	bool there = false;
	enum db_result r;
	struct query *q;

	if (!hash(secret, token, hashed))
		return DB_END;
	q = db_query(db, QUERY_ONE_TIME_FIND);
	db_bytes(q, "token", hashed, sizeof(hashed));
	db_text(q, "purpose", str_of(purposes[purpose]));
	db_int(q, "now", now);
	while (db_step(q) == DB_ROW) {
		there = true;
		found->user = db_col_int(q, "user_id");
		found->sent_to = db_col_copy(q, "sent_to", a);
		found->username = db_col_copy(q, "username", a);
		found->first_name = db_col_copy(q, "first_name", a);
		found->last_name = db_col_copy(q, "last_name", a);
		found->email = db_col_copy(q, "email", a);
		found->affiliation = db_col_copy(q, "affiliation", a);
		found->password_changed = db_col_int(q, "password_changed");
		found->is_active = db_col_bool(q, "is_active");
		found->is_pending = db_col_bool(q, "pending");
	}
	r = db_done(q);
	return r == DB_END && there ? DB_ROW : r;
}

enum db_result
one_time_take(struct db *db, struct secret *secret, enum one_time_purpose purpose, struct str token,
    int64_t now)
{
	uint8_t hashed[SECRET_SIZE];
	enum db_result r;
	struct query *q;

	if (!hash(secret, token, hashed))
		return DB_END;
	q = db_query(db, QUERY_ONE_TIME_TAKE);
	db_bytes(q, "token", hashed, sizeof(hashed));
	db_text(q, "purpose", str_of(purposes[purpose]));
	db_int(q, "now", now);
	r = db_run(q);
	return r == DB_END && db_changes(db) > 0 ? DB_ROW : r;
}

enum db_result
one_time_end(struct db *db, enum one_time_purpose purpose, int64_t user, int64_t now)
{
	struct query *q = db_query(db, QUERY_ONE_TIME_END);

	db_text(q, "purpose", str_of(purposes[purpose]));
	db_int(q, "user", user);
	db_int(q, "now", now);
	return db_run(q);
}
