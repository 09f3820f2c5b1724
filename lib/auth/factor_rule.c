/*
 * factor_rule: who must have a second factor. Apart from factor.c, since every executable asks.
 */
#include <string.h>

#include "auth/factor.h"

bool
factor_required(const struct config *c, const struct user *u)
{
	const char *who = config_text(c, "TOM_MFA_REQUIRED");

	return strcmp(who, "all") == 0 || (strcmp(who, "superusers") == 0 && u->is_superuser);
}

const char *
factor_config_wrong(const struct config *c)
{
	if (strcmp(config_text(c, "TOM_MFA_REQUIRED"), "none") != 0 &&
	    config_text(c, "VAULT_KEY_FILE")[0] == '\0')
		return "TOM_MFA_REQUIRED asks for second factors, whose keys are sealed: name a "
		       "file "
		       "as VAULT_KEY_FILE and run `meridian init`, which makes one";
	return NULL;
}
