/*
 * half: between the password and the second factor.
 *
 * What the cookie holds is sealed by the vault, which only login has: the key that signs it is every
 * executable's, and one that was taken over must not make itself a password that was right.
 */
#include <string.h>

#include "auth/auth.h"
#include "auth/vault.h"
#include "auth/visit.h"
#include "base/clock.h"

#define HALF_LIFE (10 * MINUTE)

/* What the cookie holds, and the signature over it and over who keeps it. */
struct half {
	int64_t user, password_changed, until;
};
#define HALF_SIZE (sizeof(struct half) + SECRET_SIZE)

static const struct vault_place place = { "cookie", "half", 0 };

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
auth_half_begin(
    struct request *r, struct response *res, struct vault *vault, const struct proof *proof)
{
	struct half h = { proof->user, proof->password_changed, r->now + HALF_LIFE };
	uint8_t bytes[HALF_SIZE];
	struct signed_half parts;
	const char *purpose;
	struct str id, whole = { (const char *)bytes, sizeof(bytes) };

	auth_form_cookie(r, res);
	if (!visit_base(visit_of(r), &purpose, &id))
		return;
	parts_of(&h, purpose, id, &parts);
	memcpy(bytes, &h, sizeof(h));
	secret_sign(auth_of(r)->secret, parts.list, NELEM(parts.list), bytes + sizeof(h));
	if (vault != NULL)
		whole = vault_seal(vault, r->arena, &place, whole);
	response_cookie(
	    r, res, HALF_COOKIE, secret_encode(r->arena, whole.p, whole.n), HALF_LIFE / SECOND);
}

/* The bytes of the cookie; without a vault as they are. */
static bool
read_cookie(struct request *r, struct vault *vault, uint8_t bytes[HALF_SIZE])
{
	struct str cookie = request_cookie(r, HALF_COOKIE), whole;
	uint8_t sealed[HALF_SIZE + VAULT_EXTRA];

	if (vault == NULL)
		return secret_decode(cookie, bytes, HALF_SIZE);
	if (!secret_decode(cookie, sealed, sizeof(sealed)) ||
	    vault_open(vault, r->arena, &place,
	        (struct str){ (const char *)sealed, sizeof(sealed) }, &whole) != VAULT_OPEN)
		return false;
	memcpy(bytes, whole.p, HALF_SIZE);
	return true;
}

bool
auth_half(struct request *r, struct vault *vault, struct proof *proof)
{
	uint8_t bytes[HALF_SIZE];
	struct signed_half parts;
	const char *purpose;
	struct half h;
	struct str id;

	*proof = (struct proof){ .user = 0 };
	if (!read_cookie(r, vault, bytes) || !visit_base(visit_of(r), &purpose, &id))
		return false;
	memcpy(&h, bytes, sizeof(h));
	parts_of(&h, purpose, id, &parts);
	if (!secret_signed(auth_of(r)->secret, parts.list, NELEM(parts.list), bytes + sizeof(h)) ||
	    r->now >= h.until)
		return false;
	*proof = (struct proof){ .user = h.user, .password_changed = h.password_changed };
	return true;
}
