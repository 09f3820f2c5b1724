/*
 * meridian.h: what the subcommands of meridian(1) share.
 */
#ifndef MERIDIAN_CMD_H
#define MERIDIAN_CMD_H

#include "base/arena.h"
#include "base/config.h"
#include "db/db.h"
#include "http/value.h"

/* Exit codes, as meridian(1) lists them. */
enum {
	EXIT_DONE = 0,
	EXIT_FAILED = 1, /* it could not be done: the sentence on stderr says why */
	EXIT_USAGE = 2, /* the words of the call are off */
	EXIT_CONFIG = 78 /* the configuration or the schema is not right */
};

/* What to do about a key file that is no good. */
#define SECRET_MEND \
	"Where it is empty or cut short, remove it: `meridian init` then makes a new key, and " \
	"everybody signs in anew."

#define VAULT_MEND \
	"Where it is empty or cut short, restore it from a backup: without it no second factor " \
	"that " \
	"stands in the database can be read. Only on a new site remove it; `meridian init` then " \
	"makes " \
	"a new key."

#define OPTIONS_MAX 16
#define ARGUMENTS_MAX 8

/* One run of a subcommand. All memory is the arena's. */
struct run {
	struct arena *arena;
	struct config *config;
	struct db *db; /* NULL unless the command needs it */
	bool json; /* --json: one JSON value on stdout, for scripts */
	const char *args[ARGUMENTS_MAX];
	size_t nargs;
	struct {
		const char *name, *value; /* value NULL: a flag */
	} options[OPTIONS_MAX];
	size_t noptions;
};

enum need {
	NEEDS_NOTHING, /* not even a configuration */
	NEEDS_CONFIG,
	NEEDS_DATABASE, /* whatever its schema */
	NEEDS_SCHEMA /* and the schema is ours */
};

/* A row of the table of subcommands. */
struct command {
	const char *words; /* "user add" */
	const char *arguments; /* "NAME", "GROUP USER" */
	const char *options; /* "staff superuser email=": those ending in = take a value */
	enum need need;
	int (*run)(struct run *); /* the exit code */
	const char *what; /* a line for help */
};

/* Is the option given; its value, or NULL. */
bool run_has(const struct run *, const char *option);
const char *run_option(const struct run *, const char *option);

/* Says the sentence on stderr, with "meridian: " before it, and returns the code. */
int run_fail(int code, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The same for a failure of the database. */
int run_db_failed(const struct run *, enum db_result);
/* The same for what db_migrate() said: a database that failed may serve later. */
int run_schema_failed(const struct run *, const char *err);
/* Says a line on stdout, unless --json. */
void run_say(const struct run *, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Writes the value as a line of JSON on stdout. */
void run_json(const struct value *);

int command_init(struct run *);
int command_migrate(struct run *);
int command_roles(struct run *);
int command_seed(struct run *);
int command_version(struct run *);
int command_check(struct run *);
int command_user_add(struct run *);
int command_user_list(struct run *);
int command_user_password(struct run *);
int command_user_disable(struct run *);
int command_user_enable(struct run *);
int command_user_reset_factor(struct run *);
int command_secret_rotate(struct run *);
int command_token_list(struct run *);
int command_token_revoke(struct run *);
int command_user_staff(struct run *);
int command_user_superuser(struct run *);
int command_user_delete(struct run *);
int command_group_delete(struct run *);
int command_group_add(struct run *);
int command_group_list(struct run *);
int command_group_join(struct run *);
int command_group_leave(struct run *);
int command_session_end(struct run *);
int command_rights_fill(struct run *);
int command_purge(struct run *);
int command_mail_send(struct run *);
int command_mail_list(struct run *);
int command_mail_retry(struct run *);
int command_mail_drop(struct run *);
int command_site_list(struct run *);
int command_site_add(struct run *);
int command_site_set(struct run *);

#endif
