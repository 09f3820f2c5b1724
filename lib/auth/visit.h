/*
 * visit.h: what the hooks keep for a worker and for a request. Only lib/auth/ includes it.
 */
#ifndef MERIDIAN_VISIT_H
#define MERIDIAN_VISIT_H

#include "auth/secret.h"
#include "auth/session.h"
#include "auth/token.h"
#include "http/request.h"

#define VISITOR_COOKIE "visitor"
#define HALF_COOKIE "half"

/* Of a worker: app_state.auth. */
struct auth {
	struct secret *secret;
	struct session_limits limits;
	bool locked; /* AUTH_STRATEGY */
	int64_t password_age; /* microseconds after which a password is to be changed; 0: never */
	struct str terms; /* TOM_TERMS_OF_SERVICE_VERSION; "": there are none to accept */
	bool open_change; /* TARGET_OPEN_CHANGE */
	struct event_flood *flood; /* events that were counted instead of written */
	int64_t db_idle; /* microseconds */
	int64_t touch_after; /* monotonic: no use of a session or token is noted before */
	int64_t token_age; /* microseconds that a token lasts at most; 0: no limit */
};

/* Of a request: request->session. */
struct visit {
	struct session *session; /* NULL: a visitor */
	const struct user *user; /* of the session, or of the token */
	struct token *token; /* of a cookieless request; it may be one that is refused */
	const char *token_wrong; /* why such a request is nobody's; NULL: it is the user's */
	struct str visitor; /* the valid cookie of a visitor's forms; absent: none */
	bool
	    host_is_ours; /* where the sites were asked, as they are for a host not in ALLOWED_HOSTS */
};

static inline struct auth *
auth_of(const struct request *r)
{
	return r->app->auth;
}

/* The visit of a request; NULL before anything was asked. */
static inline struct visit *
visit_of(const struct request *r)
{
	return r->session;
}

/*
 * What a browser is known by while it looks at pages: its session, else the cookie of a visitor's
 * forms. False where it has neither yet.
 */
bool visit_base(const struct visit *, const char **purpose, struct str *id);

#endif
