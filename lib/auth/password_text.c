/*
 * password_text: what the texts of hashes are made of: fields, numbers, salts, base64.
 */
#include <openssl/evp.h>
#include <string.h>

#include "auth/password_hash.h"

size_t
password_split(struct str text, size_t most, struct str *part)
{
	for (size_t n = 0; n < most; n++) {
		size_t end = str_find(text, '$');

		part[n] = (struct str){ text.p, end };
		if (end == text.n)
			return n + 1;
		text = (struct str){ text.p + end + 1, text.n - end - 1 };
	}
	return most + 1;
}

bool
password_number(struct str s, uint64_t max, uint64_t *out)
{
	int64_t n;

	if (s.n == 0 || s.n > 10 || s.p[0] < '1' || !str_to_int64(s, &n))
		return false;
	*out = (uint64_t)n;
	return *out <= max;
}

bool
password_is_salt(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return s.n > 0 && s.n <= PASSWORD_SALT_MAX;
}

bool
password_base64(struct str text, bool padded, uint8_t *out, size_t *n)
{
	enum { TEXT = (PASSWORD_KEY_MAX + 2) / 3 * 4, ROOM = TEXT / 4 * 3 };
	unsigned char whole[TEXT + 1], again[TEXT + 1], bytes[ROOM];
	size_t size = (text.n + 3) / 4 * 4, pads;

	if (text.n == 0 || size > TEXT || (padded && size != text.n))
		return false;
	memset(whole, '=', sizeof(whole));
	memcpy(whole, text.p, text.n);
	if (EVP_DecodeBlock(bytes, whole, (int)size) != (int)(size / 4 * 3))
		return false;
	pads = (whole[size - 1] == '=') + (size_t)(whole[size - 2] == '=');
	*n = size / 4 * 3 - pads;
	if (*n == 0 || *n > PASSWORD_KEY_MAX || (!padded && size - pads != text.n))
		return false;
	EVP_EncodeBlock(again, bytes, (int)*n);
	if (memcmp(again, whole, size) != 0)
		return false;
	memcpy(out, bytes, *n);
	return true;
}
