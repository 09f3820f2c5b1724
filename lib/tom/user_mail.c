/*
 * user_mail: what the owner of an account is told by mail.
 */
#include "tom/mail.h"
#include "tom/user.h"

enum db_result
user_mail_password(struct db *db, struct arena *a, const struct config *c, const struct account *u)
{
	const char *contact = config_text(c, "CONTACT");
	struct str link = STR("");
	enum db_result r;

	if (!mail_is_on(c) || u->email.n == 0)
		return DB_END;
	r = mail_link(db, a, c, "/", &link);
	if (r != DB_ROW && r != DB_END)
		return r;
	return mail_add(db, c, u->email,
	    arena_printf(a, "Your password at %s was changed", config_text(c, "TOM_NAME")),
	    arena_printf(a,
	        "Hello %.*s,\n\n"
	        "the password of your account at %s was changed, and whoever was signed in as you "
	        "is signed out:\n%.*s\n\n"
	        "API tokens that you made go on; your page API tokens lists and revokes them.\n\n"
	        "If that was you, there is nothing to do. If it was not, tell those who run the "
	        "site at once%s%s.\n",
	        STR_ARG(u->username), config_text(c, "TOM_NAME"), STR_ARG(link),
	        contact[0] != '\0' ? ": " : "", contact));
}

enum db_result
user_mail_address(struct db *db, struct arena *a, const struct config *c, const struct account *was,
    struct str asked)
{
	const char *contact = config_text(c, "CONTACT");

	if (!mail_is_on(c) || was->email.n == 0)
		return DB_END;
	if (asked.n > 0)
		return mail_add(db, c, was->email,
		    arena_printf(a, "Another e-mail address for your account at %s",
		        config_text(c, "TOM_NAME")),
		    arena_printf(a,
		        "Hello %.*s,\n\n"
		        "somebody who is signed in as you at %s asked for another e-mail "
		        "address:\n\n"
		        "%.*s\n\nIt is used once a link that was sent there is opened; this one is "
		        "till then.\n\n"
		        "If that was you, there is nothing to do. If it was not, change your "
		        "password: that voids the link. And tell those who run the site%s%s.\n",
		        STR_ARG(was->username), config_text(c, "TOM_NAME"), STR_ARG(asked),
		        contact[0] != '\0' ? ": " : "", contact));
	return mail_add(db, c, was->email,
	    arena_printf(a, "Your e-mail address at %s was changed", config_text(c, "TOM_NAME")),
	    arena_printf(a,
	        "Hello %.*s,\n\n"
	        "your account at %s has another e-mail address now. Nothing more is sent to this "
	        "one.\n\n"
	        "If you wanted that, there is nothing to do. If not, tell those who run the site "
	        "at "
	        "once%s%s.\n",
	        STR_ARG(was->username), config_text(c, "TOM_NAME"), contact[0] != '\0' ? ": " : "",
	        contact));
}
