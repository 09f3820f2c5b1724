/*
 * half: between the password and the second factor.
 */
#include <string.h>

#include "auth/auth.h"
#include "auth/visit.h"
#include "base/clock.h"

#define HALF_LIFE (10 * MINUTE)

/* What the cookie holds, and the signature over it and over who keeps it. */
struct half {
	int64_t user, password_changed, until;
};
#define HALF_SIZE (sizeof(struct half) + SECRET_SIZE)

struct signed_half {
	struct str list[4];
};

static void
parts_of(const struct half *h, const char *purpose, struct str id, struct signed_half *parts)
{
	*parts = (struct signed_half){ { STR("half signed in"), str_of(purpose), id,
	    { (const char *)h, sizeof(*h) } } };
}

void
auth_half_begin(struct request *r, struct response *res, const struct proof *proof)
{
	struct half h = { proof->user, proof->password_changed, r->now + HALF_LIFE };
	uint8_t bytes[HALF_SIZE];
	struct signed_half parts;
	const char *purpose;
	struct str id;

	auth_form_cookie(r, res);
	if (!visit_base(visit_of(r), &purpose, &id))
		return;
	parts_of(&h, purpose, id, &parts);
	memcpy(bytes, &h, sizeof(h));
	secret_sign(auth_of(r)->secret, parts.list, NELEM(parts.list), bytes + sizeof(h));
	response_cookie(
	    r, res, HALF_COOKIE, secret_encode(r->arena, bytes, sizeof(bytes)), HALF_LIFE / SECOND);
}

bool
auth_half(struct request *r, struct proof *proof)
{
	uint8_t bytes[HALF_SIZE];
	struct signed_half parts;
	const char *purpose;
	struct half h;
	struct str id;

	*proof = (struct proof){ .user = 0 };
	if (!secret_decode(request_cookie(r, HALF_COOKIE), bytes, sizeof(bytes)) ||
	    !visit_base(visit_of(r), &purpose, &id))
		return false;
	memcpy(&h, bytes, sizeof(h));
	parts_of(&h, purpose, id, &parts);
	if (!secret_signed(auth_of(r)->secret, parts.list, NELEM(parts.list), bytes + sizeof(h)) ||
	    r->now >= h.until)
		return false;
	*proof = (struct proof){ .user = h.user, .password_changed = h.password_changed };
	return true;
}
