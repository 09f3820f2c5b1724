/*
 * meridian: the operator's command. A table of subcommands; each row says what it takes and what it
 * needs, main() sees to that and calls it.
 *
 *	meridian init		secret key, database, default site
 *	meridian migrate	brings the schema to this version
 *	meridian roles		an account an executable, in a database server
 *	meridian check		what is wrong, and with --deploy what is unsafe
 *	meridian user ...	add, list, password, disable, enable, reset-factor
 *	meridian group ...	add, list, join, leave
 *	meridian site ...	list, add, set
 *	meridian mail ...	send, list, retry, drop
 *	meridian secret rotate	new keys
 *	meridian session end	signs people out
 *	meridian rights fill	rights on measurements that are there already
 *	meridian purge		what is kept no longer goes
 *	meridian seed		the Messier catalogue
 *	meridian version
 */
#include "meridian.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/password.h"
#include "base/log.h"

static const struct command commands[] = {
	{ "init", "", "admin=", NEEDS_DATABASE, command_init,
	    "make the secret key, the database and the default site, where they are not there" },
	{ "migrate", "", "", NEEDS_DATABASE, command_migrate, "bring the schema to this version" },
	{ "check", "", "deploy", NEEDS_CONFIG, command_check,
	    "say what is wrong; with --deploy also what is unsafe on a network" },
	{ "roles", "", "sql", NEEDS_SCHEMA, command_roles,
	    "give each executable an account of its own in the database server" },
	{ "user add", "NAME",
	    "staff superuser email= first-name= last-name= affiliation= password-file= generate",
	    NEEDS_SCHEMA, command_user_add, "add a user" },
	{ "user list", "", "group=", NEEDS_SCHEMA, command_user_list, "list the users" },
	{ "user password", "NAME", "password-file= generate", NEEDS_SCHEMA, command_user_password,
	    "set a password; the user's sessions end" },
	{ "user disable", "NAME", "", NEEDS_SCHEMA, command_user_disable,
	    "keep a user out; their sessions end" },
	{ "user enable", "NAME", "", NEEDS_SCHEMA, command_user_enable, "let a user in again" },
	{ "user reset-factor", "NAME", "", NEEDS_SCHEMA, command_user_reset_factor,
	    "take a lost second factor away; the user's sessions end" },
	{ "token list", "USER", "", NEEDS_SCHEMA, command_token_list, "list a user's API tokens" },
	{ "token revoke", "USER", "name=", NEEDS_SCHEMA, command_token_revoke,
	    "revoke a user's API tokens, or the one of a name" },
	{ "user staff", "NAME yes|no", "", NEEDS_SCHEMA, command_user_staff,
	    "let a user administer, or no longer; their sessions end" },
	{ "user superuser", "NAME yes|no", "", NEEDS_SCHEMA, command_user_superuser,
	    "let a user do everything, or no longer; their sessions end" },
	{ "user delete", "NAME", "", NEEDS_SCHEMA, command_user_delete,
	    "delete a user; what they made stays, as the former user's" },
	{ "group add", "NAME", "", NEEDS_SCHEMA, command_group_add, "add a group of users" },
	{ "group list", "", "", NEEDS_SCHEMA, command_group_list, "list the groups" },
	{ "group delete", "NAME", "", NEEDS_SCHEMA, command_group_delete,
	    "delete a group with its rights" },
	{ "group join", "GROUP USER", "", NEEDS_SCHEMA, command_group_join,
	    "make a user a member" },
	{ "group leave", "GROUP USER", "", NEEDS_SCHEMA, command_group_leave, "end a membership" },
	{ "session end", "", "all user=", NEEDS_SCHEMA, command_session_end,
	    "sign out a user (--user NAME), or everybody (--all)" },
	{ "rights fill", "", "permissions= group=", NEEDS_SCHEMA, command_rights_fill,
	    "give rights on measurements that nobody has any on (TARGET_PERMISSIONS_ONLY = no)" },
	{ "purge", "", "", NEEDS_SCHEMA, command_purge,
	    "remove what is kept no longer: events, mail, registrations, links" },
	{ "site list", "", "", NEEDS_SCHEMA, command_site_list, "list the sites" },
	{ "site add", "DOMAIN", "name=", NEEDS_SCHEMA, command_site_add,
	    "answer a further host name" },
	{ "site set", "DOMAIN", "id= name=", NEEDS_SCHEMA, command_site_set,
	    "change the host name of the site in use, or of site --id" },
	{ "mail send", "", "watch", NEEDS_SCHEMA, command_mail_send,
	    "send what is due; with --watch stay and go on" },
	{ "mail list", "", "", NEEDS_SCHEMA, command_mail_list, "list the mail of the queue" },
	{ "mail retry", "ID", "", NEEDS_SCHEMA, command_mail_retry, "send a mail that waits next" },
	{ "mail drop", "ID", "", NEEDS_SCHEMA, command_mail_drop, "take a mail out of the queue" },
	{ "secret rotate", "", "now minutes=", NEEDS_SCHEMA, command_secret_rotate,
	    "new keys, and stored credentials sealed anew; with --now all sessions end" },
	{ "seed", "", "user=", NEEDS_SCHEMA, command_seed,
	    "add the Messier catalogue as PUBLIC targets" },
	{ "version", "", "", NEEDS_NOTHING, command_version, "say the version" },
};

int
run_fail(int code, const char *fmt, ...)
{
	va_list ap;

	fputs("meridian: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return code;
}

int
run_db_failed(const struct run *run, enum db_result r)
{
	const char *what = "the database failed";

	if (r == DB_AWAY)
		what = "the database cannot be reached";
	else if (r == DB_FULL)
		what = "there is no space for the database to write";
	else if (r == DB_SLOW)
		what = "the database took too long; try again";
	else if (r == DB_REFUSED)
		what = "the database refuses the value";
	return run_fail(EXIT_FAILED, "%s: %s", what, db_error(run->db));
}

int
run_schema_failed(const struct run *run, const char *err)
{
	return run_fail(db_error(run->db)[0] != '\0' ? EXIT_FAILED : EXIT_CONFIG, "%s", err);
}

void
run_say(const struct run *run, const char *fmt, ...)
{
	va_list ap;

	if (run->json)
		return;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

void
run_json(const struct value *v)
{
	struct buf b = { 0 };

	value_json(v, &b);
	buf_putc(&b, '\n');
	fwrite(b.p, 1, b.n, stdout);
	buf_free(&b);
}

bool
run_has(const struct run *run, const char *option)
{
	for (size_t i = 0; i < run->noptions; i++)
		if (strcmp(run->options[i].name, option) == 0)
			return true;
	return false;
}

const char *
run_option(const struct run *run, const char *option)
{
	for (size_t i = 0; i < run->noptions; i++)
		if (strcmp(run->options[i].name, option) == 0)
			return run->options[i].value;
	return NULL;
}

static void
print_usage(FILE *to, const struct command *c)
{
	fprintf(to, "usage: meridian %s%s%s", c->words, c->arguments[0] != '\0' ? " " : "",
	    c->arguments);
	for (const char *p = c->options; *p != '\0'; p += strspn(p, " ")) {
		size_t n = strcspn(p, " ");
		bool takes_value = p[n - 1] == '=';

		fprintf(to, " [--%.*s%s]", (int)(takes_value ? n - 1 : n), p,
		    takes_value ? " VALUE" : "");
		p += n;
	}
	fprintf(to, " [--json]\n       %s\n", c->what);
}

static void
print_help(FILE *to)
{
	fprintf(to, "usage: meridian COMMAND [ARGUMENT...] [--json]\n\n");
	for (size_t i = 0; i < NELEM(commands); i++)
		fprintf(to, "  %-14s %-11s %s\n", commands[i].words, commands[i].arguments,
		    commands[i].what);
	fprintf(to,
	    "\nmeridian COMMAND --help says more of one; meridian(1) of all.\n"
	    "The configuration is MERIDIAN_CONFIG or /etc/meridian/meridian.conf.\n");
}

/* The row whose words the call begins with; *used says how many words. */
static const struct command *
find_command(int argc, char **argv, int *used)
{
	for (size_t i = 0; i < NELEM(commands); i++) {
		const char *words = commands[i].words;
		size_t n = strcspn(words, " ");

		if (strlen(argv[1]) != n || strncmp(argv[1], words, n) != 0)
			continue;
		*used = 1;
		if (words[n] == '\0')
			return &commands[i];
		*used = 2;
		if (argc > 2 && strcmp(argv[2], words + n + 1) == 0)
			return &commands[i];
	}
	return NULL;
}

/* Takes one option off the call. Words used up; 0 where it is none of the command's, -1 where the
 * value it takes is missing. */
static int
take_option(struct run *run, const struct command *c, const char *word, const char *next)
{
	size_t n = strcspn(word, "=");

	if (strcmp(word, "json") == 0) {
		run->json = true;
		return 1;
	}
	for (const char *p = c->options; *p != '\0'; p += strspn(p, " ")) {
		size_t len = strcspn(p, " ");
		bool takes_value = p[len - 1] == '=';
		const char *value = word[n] == '=' ? word + n + 1 : next;
		bool missing = word[n] != '=' && (next == NULL || strncmp(next, "--", 2) == 0);

		if (len - takes_value != n || strncmp(p, word, n) != 0) {
			p += len;
			continue;
		}
		if (takes_value && missing)
			return -1;
		if (run->noptions == OPTIONS_MAX || (!takes_value && word[n] == '='))
			return 0;
		run->options[run->noptions].name = arena_copy(run->arena, word, n).p;
		run->options[run->noptions++].value = takes_value ? value : NULL;
		return takes_value && word[n] != '=' ? 2 : 1;
	}
	return 0;
}

static size_t
count_words(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s += strspn(s, " ")) {
		n++;
		s += strcspn(s, " ");
	}
	return n;
}

/* 0; else the exit code, having said what is wrong. */
static int
take_words(struct run *run, const struct command *c, int argc, char **argv)
{
	bool only_arguments = false;
	int used;

	for (int i = 0; i < argc; i += used) {
		used = 1;
		if (only_arguments || strncmp(argv[i], "--", 2) != 0) {
			if (run->nargs == ARGUMENTS_MAX)
				return run_fail(EXIT_USAGE, "there are too many arguments");
			run->args[run->nargs++] = argv[i];
			continue;
		}
		if (argv[i][2] == '\0') {
			only_arguments = true;
			continue;
		}
		used = take_option(run, c, argv[i] + 2, i + 1 < argc ? argv[i + 1] : NULL);
		if (used <= 0) {
			if (used < 0)
				run_fail(EXIT_USAGE, "%s needs a value", argv[i]);
			else
				run_fail(
				    EXIT_USAGE, "%s does not go with \"%s\"", argv[i], c->words);
			print_usage(stderr, c);
			return EXIT_USAGE;
		}
	}
	if (run->nargs == count_words(c->arguments))
		return 0;
	print_usage(stderr, c);
	return EXIT_USAGE;
}

/* What the command needs before it runs. 0; else the exit code. */
static int
prepare(struct run *run, const struct command *c)
{
	char err[512];
	enum db_result why;

	if (c->need == NEEDS_NOTHING)
		return 0;
	run->config = config_load(err, sizeof(err));
	if (run->config == NULL)
		return run_fail(EXIT_CONFIG, "%s", err);
	password_configure(run->config);
	if (c->need == NEEDS_CONFIG)
		return 0;
	run->db = db_new(run->config, err, sizeof(err));
	if (run->db == NULL)
		return run_fail(EXIT_CONFIG, "%s", err);
	if (c->need == NEEDS_SCHEMA && (why = db_schema_check(run->db, err, sizeof(err))) != DB_END)
		return run_fail(why == DB_AWAY ? EXIT_FAILED : EXIT_CONFIG, "%s", err);
	return 0;
}

static bool
wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

static int
run_command(struct run *run, int argc, char **argv)
{
	const struct command *c;
	int used = 0, code;

	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		print_help(argc < 2 ? stderr : stdout);
		return argc < 2 ? EXIT_USAGE : EXIT_DONE;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
		return command_version(run);
	c = find_command(argc, argv, &used);
	if (c == NULL) {
		run_fail(EXIT_USAGE, "there is no command \"%s%s%s\"", argv[1],
		    used == 2 && argc > 2 ? " " : "", used == 2 && argc > 2 ? argv[2] : "");
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (wants_help(argc, argv)) {
		print_usage(stdout, c);
		return EXIT_DONE;
	}
	code = take_words(run, c, argc - 1 - used, argv + 1 + used);
	if (run->json)
		log_set_level(LOG_LEVEL_WARN);
	if (code == 0)
		code = prepare(run, c);
	return code == 0 ? c->run(run) : code;
}

int
main(int argc, char **argv)
{
	struct run run = { .arena = arena_new() };
	int code;

	log_set_program("meridian");
	log_set_level(LOG_LEVEL_NONE); /* people are told in words */
	code = run_command(&run, argc, argv);
	db_free(run.db);
	config_free(run.config);
	arena_free(run.arena);
	if (fflush(stdout) != 0)
		return run_fail(EXIT_FAILED, "standard output cannot be written");
	return code;
}
