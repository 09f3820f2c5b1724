/*
 * meridian user and group: accounts. A password comes from the terminal without echo, or from a
 * file or standard input (--password-file FILE or -), never from an argument.
 */
#include "meridian.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "auth/event.h"
#include "auth/password.h"
#include "base/clock.h"
#include "tom/group.h"
#include "tom/user.h"

#define PAGE 500

/* --- passwords --- */

/* The first line of an open file: 0, or the exit code having said why not. */
static int
read_line(struct run *run, FILE *f, const char *what, struct str *line)
{
	char text[PASSWORD_MAX + 3];
	size_t n;

	if (fgets(text, sizeof(text), f) == NULL)
		return run_fail(EXIT_FAILED, "%s holds no password", what);
	n = strlen(text);
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		n--;
	*line = arena_copy(run->arena, text, n);
	explicit_bzero(text, sizeof(text));
	return 0;
}

static int
ask_once(struct run *run, FILE *tty, const char *question, struct str *answer)
{
	struct termios old, quiet;
	int code;

	if (tcgetattr(fileno(tty), &old) != 0)
		return run_fail(EXIT_FAILED, "the terminal cannot be asked: %s", strerror(errno));
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	fputs(question, tty);
	fflush(tty);
	(void)tcsetattr(fileno(tty), TCSAFLUSH, &quiet);
	code = read_line(run, tty, "the terminal", answer);
	(void)tcsetattr(fileno(tty), TCSAFLUSH, &old);
	fputc('\n', tty);
	return code;
}

static int
ask_twice(struct run *run, struct str *password)
{
	FILE *tty = fopen("/dev/tty", "r+e");
	struct str again = STR_NONE;
	int code;

	if (tty == NULL)
		return run_fail(EXIT_USAGE,
		    "there is no terminal to ask for the password: give --password-file FILE, "
		    "--password-file - for standard input, or --generate");
	code = ask_once(run, tty, "Password: ", password);
	if (code == 0)
		code = ask_once(run, tty, "The same again: ", &again);
	fclose(tty);
	if (code == 0 && !str_eq(*password, again))
		return run_fail(EXIT_FAILED, "the two passwords differ; nothing was changed");
	return code;
}

static int
get_password(struct run *run, struct str *password)
{
	const char *path = run_option(run, "password-file");
	FILE *f;
	int code;

	if (run_has(run, "generate")) {
		*password = password_generate(run->arena);
		return 0;
	}
	if (path == NULL)
		return ask_twice(run, password);
	if (strcmp(path, "-") == 0)
		return read_line(run, stdin, "standard input", password);
	f = fopen(path, "re");
	if (f == NULL)
		return run_fail(EXIT_FAILED, "%s: %s", path, strerror(errno));
	code = read_line(run, f, path, password);
	fclose(f);
	return code;
}

/* --- users --- */

static int
user_failed(struct run *run, enum user_result r, const struct user_problems *why, const char *name)
{
	switch (r) {
	case USER_DONE:
		return EXIT_DONE;
	case USER_WRONG:
		run_fail(EXIT_FAILED, "nothing was changed:");
		for (size_t i = 0; why != NULL && i < why->n; i++)
			fprintf(stderr, "  %.*s\n", STR_ARG(why->why[i]));
		return EXIT_FAILED;
	case USER_TAKEN:
		return run_fail(EXIT_FAILED, "there is a user \"%s\" already", name);
	case USER_UNKNOWN:
		return run_fail(EXIT_FAILED, "there is no user \"%s\"", name);
	case USER_LAST:
		return run_fail(EXIT_FAILED,
		    "%s is the last active superuser: nobody could administer the site", name);
	case USER_REFUSED:
		return run_fail(EXIT_FAILED,
		    "\"%s\" keeps what deleted users made: it is not to be changed", name);
	case USER_CHANGED:
		return run_fail(EXIT_FAILED,
		    "the password of \"%s\" was changed by somebody else at this moment; try again",
		    name);
	case USER_BUSY:
		return run_fail(EXIT_FAILED, "too many passwords are hashed at once; try again");
	case USER_FAILED:
		break;
	}
	return run_fail(EXIT_FAILED, "the database failed: %s", db_error(run->db));
}

static struct str
option_text(const struct run *run, const char *name)
{
	const char *value = run_option(run, name);

	return str_of(value != NULL ? value : "");
}

static int
say_done(struct run *run, const char *done, const char *name, int64_t id, struct str generated)
{
	if (run->json) {
		struct value *v = value_object(run->arena);

		value_set_int(v, "id", id);
		value_set_cstr(v, "username", name);
		if (generated.p != NULL)
			value_set_text(v, "password", generated);
		run_json(v);
		return EXIT_DONE;
	}
	run_say(run, "%s user %s", done, name);
	if (generated.p != NULL)
		run_say(run, "PASSWORD %s", generated.p);
	return EXIT_DONE;
}

static void
note(struct run *run, enum event_kind kind, int64_t user, struct str name, const char *detail)
{
	event_note_command(run->db, clock_now(),
	    (struct event){
	        .kind = kind, .user = user, .username = name, .detail = str_of(detail) });
}

int
command_user_add(struct run *run)
{
	struct account account = {
		.username = str_of(run->args[0]),
		.first_name = option_text(run, "first-name"),
		.last_name = option_text(run, "last-name"),
		.email = option_text(run, "email"),
		.affiliation = option_text(run, "affiliation"),
		.is_staff = run_has(run, "staff") || run_has(run, "superuser"),
		.is_superuser = run_has(run, "superuser"),
	};
	struct user_problems why = { 0 };
	enum user_result r;
	struct str password = STR_NONE;
	int64_t id = 0;
	int code;

	/* what is wrong with the name is said before anybody thinks of a password */
	user_check(run->arena, &account, &why);
	if (why.n > 0)
		return user_failed(run, USER_WRONG, &why, run->args[0]);
	if ((code = get_password(run, &password)) != 0)
		return code;
	r = user_add(run->db, run->arena, run->config, &account, password, &id, &why);
	if (r != USER_DONE)
		return user_failed(run, r, &why, run->args[0]);
	note(run, EVENT_USER_ADDED, id, account.username,
	    account.is_superuser   ? "by meridian user add: superuser"
	        : account.is_staff ? "by meridian user add: staff"
	                           : "by meridian user add");
	return say_done(
	    run, "added", run->args[0], id, run_has(run, "generate") ? password : STR_NONE);
}

int
command_user_password(struct run *run)
{
	struct user_problems why = { 0 };
	struct account account;
	enum user_result r;
	struct str password = STR_NONE;
	int code;

	r = user_find(run->db, run->arena, str_of(run->args[0]), &account);
	if (r != USER_DONE)
		return user_failed(run, r, &why, run->args[0]);
	if ((code = get_password(run, &password)) != 0)
		return code;
	r = user_set_password(run->db, run->arena, run->config, &account, password, &why);
	if (r != USER_DONE)
		return user_failed(run, r, &why, run->args[0]);
	note(
	    run, EVENT_PASSWORD_CHANGED, account.id, account.username, "by meridian user password");
	return say_done(run, "changed the password of", run->args[0], account.id,
	    run_has(run, "generate") ? password : STR_NONE);
}

/* Calls each() with every user, of one group where it is not 0. */
static enum user_result
each_user(struct run *run, int64_t group, void (*each)(void *, const struct account *), void *arg)
{
	struct str after = STR("");
	struct account *list;
	size_t n;

	do {
		enum user_result r = user_list(run->db, run->arena, group, after, PAGE, &list, &n);

		if (r != USER_DONE)
			return r;
		for (size_t i = 0; i < n; i++)
			each(arg, &list[i]);
		if (n > 0)
			after = list[n - 1].username;
	} while (n == PAGE);
	return USER_DONE;
}

struct listing {
	const struct run *run;
	struct value *list;
	size_t n;
};

static void
list_user(void *arg, const struct account *u)
{
	struct listing *l = arg;
	struct arena *a = l->run->arena;
	struct value *v;

	l->n++;
	if (!l->run->json) {
		run_say(l->run, "%-20.*s %-9s %-8s  last signed in: %s", STR_ARG(u->username),
		    u->is_superuser   ? "superuser"
		        : u->is_staff ? "staff"
		                      : "",
		    u->is_active ? "" : "disabled",
		    u->last_login == 0 ? "never" : clock_minute(a, u->last_login).p);
		return;
	}
	v = value_add_object(l->list);
	value_set_int(v, "id", u->id);
	value_set_text(v, "username", u->username);
	value_set_text(v, "first_name", u->first_name);
	value_set_text(v, "last_name", u->last_name);
	value_set_text(v, "email", u->email);
	value_set_text(v, "affiliation", u->affiliation);
	value_set_bool(v, "is_active", u->is_active);
	value_set_bool(v, "is_staff", u->is_staff);
	value_set_bool(v, "is_superuser", u->is_superuser);
	value_set_text(
	    v, "last_login", u->last_login == 0 ? STR_NONE : clock_iso(a, u->last_login));
}

static int
find_group(struct run *run, const char *name, struct group *group)
{
	switch (group_find(run->db, run->arena, str_of(name), group)) {
	case GROUP_DONE:
		return 0;
	case GROUP_FAILED:
		return run_fail(EXIT_FAILED, "the database failed: %s", db_error(run->db));
	default:
		return run_fail(EXIT_FAILED, "there is no group \"%s\"", name);
	}
}

int
command_user_list(struct run *run)
{
	struct listing l = { .run = run, .list = value_list(run->arena) };
	const char *name = run_option(run, "group");
	struct group group = { 0 };
	enum user_result r;
	int code;

	if (name != NULL && (code = find_group(run, name, &group)) != 0)
		return code;
	r = each_user(run, group.id, list_user, &l);
	if (r != USER_DONE)
		return user_failed(run, r, NULL, "");
	if (run->json)
		run_json(l.list);
	else if (l.n == 0)
		run_say(run, "There are no users here; `meridian user add NAME` adds one.");
	return EXIT_DONE;
}

static int
set_active(struct run *run, bool active)
{
	struct user_problems why = { 0 };
	struct account account;
	enum user_result r = user_find(run->db, run->arena, str_of(run->args[0]), &account);

	if (r == USER_DONE)
		r = user_set_active(run->db, account.id, active);
	if (r != USER_DONE)
		return user_failed(run, r, &why, run->args[0]);
	note(run, EVENT_USER_CHANGED, account.id, account.username,
	    active ? "by meridian user enable" : "by meridian user disable");
	return say_done(run, active ? "enabled" : "disabled", run->args[0], account.id, STR_NONE);
}

int
command_user_disable(struct run *run)
{
	return set_active(run, false);
}

int
command_user_enable(struct run *run)
{
	return set_active(run, true);
}

/* Sets the rights of staff or of a superuser as the second word says. */
static int
set_rights(struct run *run, bool superuser)
{
	const char *what = superuser ? "a superuser" : "staff";
	bool yes = strcmp(run->args[1], "yes") == 0;
	struct user_change c = { .parts = USER_RIGHTS };
	struct user_problems why = { 0 };
	enum user_result r;

	if (!yes && strcmp(run->args[1], "no") != 0)
		return run_fail(EXIT_USAGE, "say yes or no, not \"%s\"", run->args[1]);
	r = user_find(run->db, run->arena, str_of(run->args[0]), &c.to);
	if (r == USER_DONE && !superuser && !yes && c.to.is_superuser)
		return run_fail(EXIT_FAILED,
		    "%s is a superuser, who is staff too: `meridian user superuser %s no` first",
		    run->args[0], run->args[0]);
	if (r == USER_DONE) {
		if (superuser)
			c.to.is_superuser = yes;
		else
			c.to.is_staff = yes;
		r = user_change(run->db, run->arena, run->config, &c, &why);
	}
	if (r != USER_DONE)
		return user_failed(run, r, &why, run->args[0]);
	what = arena_printf(run->arena, "%s %s", yes ? "made" : "no longer", what).p;
	if (c.changed != 0)
		note(run, EVENT_USER_CHANGED, c.to.id, c.to.username,
		    arena_printf(run->arena, "by meridian user: %s", what).p);
	return say_done(
	    run, arena_printf(run->arena, "%s:", what).p, run->args[0], c.to.id, STR_NONE);
}

int
command_user_staff(struct run *run)
{
	return set_rights(run, false);
}

int
command_user_superuser(struct run *run)
{
	return set_rights(run, true);
}

int
command_user_delete(struct run *run)
{
	struct user_problems why = { 0 };
	struct account account;
	enum user_result r = user_find(run->db, run->arena, str_of(run->args[0]), &account);

	if (r == USER_DONE)
		r = user_delete(run->db, account.id);
	if (r != USER_DONE)
		return user_failed(run, r, &why, run->args[0]);
	note(run, EVENT_USER_DELETED, account.id, account.username, "by meridian user delete");
	return say_done(run, "deleted", run->args[0], account.id, STR_NONE);
}

/* --- groups --- */

static int
say_group(struct run *run, const char *done, const char *name, int64_t id)
{
	if (run->json) {
		struct value *v = value_object(run->arena);

		value_set_int(v, "id", id);
		value_set_cstr(v, "name", name);
		run_json(v);
	} else {
		run_say(run, "%s %s", done, name);
	}
	return EXIT_DONE;
}

int
command_group_add(struct run *run)
{
	int64_t id;

	switch (group_add(run->db, str_of(run->args[0]), &id)) {
	case GROUP_DONE:
		note(run, EVENT_GROUP_CHANGED, 0, STR_NONE,
		    arena_printf(run->arena, "by meridian group add: %s", run->args[0]).p);
		return say_group(run, "added group", run->args[0], id);
	case GROUP_TAKEN:
		return run_fail(EXIT_FAILED, "there is a group \"%s\" already", run->args[0]);
	case GROUP_WRONG:
		return run_fail(EXIT_USAGE,
		    "a group's name has 1 to %d characters and no control characters",
		    GROUP_NAME_MAX);
	default:
		return run_fail(EXIT_FAILED, "the database failed: %s", db_error(run->db));
	}
}

int
command_group_delete(struct run *run)
{
	struct group group;
	int code = find_group(run, run->args[0], &group);

	if (code != 0)
		return code;
	switch (group_delete(run->db, group.id)) {
	case GROUP_DONE:
	case GROUP_UNKNOWN: /* gone in between */
		note(run, EVENT_GROUP_CHANGED, 0, STR_NONE,
		    arena_printf(run->arena, "by meridian group delete: %s", run->args[0]).p);
		return say_group(run, "deleted group", run->args[0], group.id);
	default:
		return run_fail(EXIT_FAILED, "the database failed: %s", db_error(run->db));
	}
}

int
command_group_list(struct run *run)
{
	struct value *list = value_list(run->arena);
	struct str after = STR("");
	struct group *groups;
	size_t n, all = 0;

	do {
		if (group_list(run->db, run->arena, after, PAGE, &groups, &n) != GROUP_DONE)
			return run_fail(EXIT_FAILED, "the database failed: %s", db_error(run->db));
		for (size_t i = 0; i < n; i++) {
			struct value *v = value_add_object(list);

			value_set_int(v, "id", groups[i].id);
			value_set_text(v, "name", groups[i].name);
			run_say(run, "%.*s", STR_ARG(groups[i].name));
			after = groups[i].name;
		}
		all += n;
	} while (n == PAGE);
	if (run->json)
		run_json(list);
	else if (all == 0)
		run_say(run, "There are no groups; `meridian group add NAME` adds one.");
	return EXIT_DONE;
}

static int
membership(
    struct run *run, enum group_result (*change)(struct db *, int64_t, int64_t), const char *done)
{
	struct user_problems why = { 0 };
	struct account account;
	struct group group;
	enum user_result r;
	int code = find_group(run, run->args[0], &group);

	if (code != 0)
		return code;
	r = user_find(run->db, run->arena, str_of(run->args[1]), &account);
	if (r != USER_DONE)
		return user_failed(run, r, &why, run->args[1]);
	if (change(run->db, group.id, account.id) != GROUP_DONE)
		return run_fail(EXIT_FAILED, "the database failed: %s", db_error(run->db));
	note(run, EVENT_GROUP_CHANGED, account.id, account.username,
	    arena_printf(run->arena, "by meridian group: %s group %s", done, run->args[0]).p);
	return say_group(run, arena_printf(run->arena, "%s %s group", run->args[1], done).p,
	    run->args[0], group.id);
}

int
command_group_join(struct run *run)
{
	return membership(run, group_join, "is in");
}

int
command_group_leave(struct run *run)
{
	return membership(run, group_leave, "is not in");
}
