/*
 * signin: from a password to a session, and out again.
 */
#include "auth/auth.h"
#include "auth/password.h"
#include "auth/unicode.h"
#include "auth/visit.h"
#include "base/log.h"

const struct user *
auth_user(const struct request *r)
{
	return r->user != NULL ? r->user : access_visitor();
}

const struct session *
auth_session(const struct request *r)
{
	return visit_of(r) == NULL ? NULL : visit_of(r)->session;
}

const struct session_limits *
auth_session_limits(const struct request *r)
{
	return &auth_of(r)->limits;
}

int
auth_db_failed(struct request *r, struct response *res, enum db_result result)
{
	log_error("the database did not answer", LOG_INT("result", result),
	    LOG_TEXT("error", db_error(r->app->db)));
	switch (result) {
	case DB_AWAY:
	case DB_RETRY:
	case DB_SLOW:
		return respond_error(r, res, 503, NULL);
	case DB_FULL:
		return respond_error(r, res, 507, NULL);
	default:
		return respond_error(r, res, 500, NULL);
	}
}

void
auth_form_cookie(struct request *r, struct response *res)
{
	struct visit *v = visit_of(r);
	uint8_t bytes[SECRET_SIZE];

	if (v->session != NULL || v->visitor.p != NULL)
		return;
	secret_random(bytes, sizeof(bytes));
	v->visitor = secret_encode(r->arena, bytes, sizeof(bytes));
	response_cookie(r, res, VISITOR_COOKIE, v->visitor, -1);
}

bool
auth_cookies_are_lost(const struct request *r)
{
	return !r->app->insecure_http && !str_is(r->scheme, "https");
}

struct secret *
auth_secret(const struct request *r)
{
	return auth_of(r)->secret;
}

int64_t
auth_factor(const struct request *r)
{
	const struct session *s = visit_of(r)->session;

	return s != NULL ? s->factor : 0;
}

struct signing {
	struct request *request;
	struct proof proof;
	struct str token;
	struct session session;
};

/* Notes when they came, and removes sessions that ended long ago. */
static enum db_result
note_time(struct db *db, void *arg)
{
	const struct signing *s = arg;
	enum db_result result;
	struct query *q;

	q = db_query(db, QUERY_USER_SIGNED_IN);
	db_int(q, "id", s->proof.user);
	db_int(q, "now", s->request->now);
	if ((result = db_run(q)) != DB_END)
		return result;
	q = db_query(db, QUERY_SESSION_PURGE);
	db_int(q, "now", s->request->now);
	return db_run(q);
}

static enum db_result
sign_in(struct db *db, void *arg)
{
	struct signing *s = arg;
	struct request *r = s->request;
	const struct auth *auth = auth_of(r);
	enum db_result result = DB_END;

	if (visit_of(r)->session != NULL)
		result = session_end(db, visit_of(r)->session);
	if (result == DB_END)
		result = session_add(db, r->arena, auth->secret, &auth->limits, &s->proof,
		    (struct session_origin){ r->remote_addr, request_header(r, "HTTP_USER_AGENT") },
		    r->now, &s->token, &s->session);
	if (result == DB_END && db_transaction(db, DB_WRITE, note_time, s) != DB_END)
		log_warn("the time of signing in could not be noted",
		    LOG_INT("user", s->proof.user), LOG_TEXT("error", db_error(db)));
	return result;
}

int
auth_sign_in(struct request *r, struct response *res, const struct proof *proof)
{
	struct signing s = { .request = r, .proof = *proof };
	enum db_result result = db_transaction(r->app->db, DB_WRITE, sign_in, &s);
	if (result == DB_REFUSED) {
		respond_error(r, res, 403,
		    "This account was disabled, or its password changed, at this moment. Sign in "
		    "again.");
		return -1;
	}
	if (result != DB_END) {
		auth_db_failed(r, res, result);
		return -1;
	}
	response_cookie(
	    r, res, SESSION_COOKIE, s.token, (s.session.expires - s.session.created) / SECOND);
	if (visit_of(r)->visitor.p != NULL)
		response_cookie(r, res, VISITOR_COOKIE, STR(""), 0);
	if (request_cookie(r, HALF_COOKIE).p != NULL)
		response_cookie(r, res, HALF_COOKIE, STR(""), 0);
	visit_of(r)->session = NULL; /* it ended: nothing is noted with it */
	return 0;
}

int
auth_sign_out(struct request *r, struct response *res)
{
	struct visit *v = visit_of(r);
	enum db_result result = v->session == NULL ? DB_END : session_end(r->app->db, v->session);

	if (result != DB_END) {
		auth_db_failed(r, res, result);
		return -1;
	}
	response_cookie(r, res, SESSION_COOKIE, STR(""), 0);
	v->session = NULL;
	return 0;
}

struct stored {
	int64_t id; /* 0: there is none */
	int64_t password_changed;
	struct str password;
	bool is_active;
};

static enum db_result
find_account(struct db *db, struct arena *a, struct str username, struct stored *account)
{
	struct query *q = db_query(db, QUERY_USER_PASSWORD);

	*account = (struct stored){ .id = 0 };
	db_text(q, "username", unicode_nfkc(a, username));
	if (db_step(q) == DB_ROW) {
		account->id = db_col_int(q, "id");
		account->password = db_col_copy(q, "password", a);
		account->password_changed = db_col_int(q, "password_changed");
		account->is_active = db_col_bool(q, "is_active");
	}
	return db_done(q);
}

/* The same password at today's cost; a change that came between stands. Failing harms nobody. */
static void
rehash(struct db *db, struct arena *a, const struct stored *account, struct str password)
{
	struct str encoded;
	struct query *q;

	if (password_hash(a, password, &encoded) != PASSWORD_RIGHT)
		return;
	q = db_query(db, QUERY_USER_REHASH);
	db_int(q, "id", account->id);
	db_text(q, "old", account->password);
	db_text(q, "new", encoded);
	if (db_run(q) != DB_END)
		log_warn("a password could not be hashed anew", LOG_INT("user", account->id),
		    LOG_TEXT("error", db_error(db)));
	else
		log_info("a password was hashed anew", LOG_INT("user", account->id));
}

enum auth_answer
auth_check_password(
    struct db *db, struct arena *a, struct str username, struct str password, struct proof *proof)
{
	struct stored account;
	bool weak;

	*proof = (struct proof){ .user = 0 };
	if (find_account(db, a, username, &account) != DB_END)
		return AUTH_AWAY;
	proof->user = account.id;
	proof->refused = account.id == 0 ? "no such user"
	    : account.is_active          ? "wrong password"
	                                 : "inactive";
	if (account.id != 0 && !password_readable(account.password) &&
	    !str_starts(account.password, "!"))
		log_warn("the password hash of a user cannot be read: set the password anew",
		    LOG_INT("user", account.id));
	/* of who may not come in nothing is compared, so that right and wrong are alike */
	switch (password_check(account.is_active ? account.password : STR_NONE, password, &weak)) {
	case PASSWORD_BUSY:
		return AUTH_BUSY;
	case PASSWORD_WRONG:
		return AUTH_NO;
	case PASSWORD_RIGHT:
		break;
	}
	if (weak)
		rehash(db, a, &account, password);
	*proof = (struct proof){ .user = account.id, .password_changed = account.password_changed };
	return AUTH_YES;
}
