/*
 * meridian secret rotate, user reset-factor: keys that change, and a factor that was lost.
 *
 * A rotation adds a key to each key file and leaves the one in use there (auth/keyring.h), so that no
 * form and no session is lost: the new key is in use after some minutes, in which the executables are
 * reloaded. Then every stored credential is sealed anew, row by row. It may be broken off anywhere and
 * run again.
 */
#include "meridian.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/event.h"
#include "auth/factor.h"
#include "auth/keyring.h"
#include "auth/session_list.h"
#include "base/clock.h"
#include "tom/user.h"

#define MINUTES 10 /* until new keys are in use */
#define VAULT_KEPT DAY /* how long after that an old key of the vault stays, at least */

/* --- key files --- */

/* A key file that is to be changed. */
struct key_file {
	const char *name; /* the configuration's key */
	char *path; /* where the file itself is, links followed; malloc'ed; NULL: none is named */
	int directory; /* open */
	struct keyring ring;
	bool added; /* a key was added; else one was waiting already */
};

static void
close_file(struct key_file *f)
{
	if (f->directory >= 0)
		close(f->directory);
	free(f->path);
}

/* 0; else the exit code having said why. With `lock` nobody else rotates keys until it is closed. */
static int
open_file(struct run *run, struct key_file *f, bool lock)
{
	const char *named = config_text(run->config, f->name);
	char err[512];

	f->directory = -1;
	if (named[0] == '\0')
		return 0;
	if ((f->path = realpath(named, NULL)) == NULL)
		return run_fail(
		    EXIT_CONFIG, "%s: %s; `meridian init` makes one", named, strerror(errno));
	f->directory = open(
	    dirname(arena_strdup(run->arena, f->path)), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->directory < 0)
		return run_fail(EXIT_FAILED, "%s: its directory: %s", f->path, strerror(errno));
	if (lock && flock(f->directory, LOCK_EX | LOCK_NB) != 0)
		return run_fail(EXIT_FAILED,
		    errno == EWOULDBLOCK ? "%s: another rotation is at work"
		                         : "%s: cannot be locked",
		    f->path);
	if (keyring_load(run->config, f->name, run->arena, &f->ring, err, sizeof(err)) != 0)
		return run_fail(EXIT_CONFIG, "%s", err);
	return 0;
}

/* Owner and mode of the file that it takes the place of. */
static bool
write_new(int fd, const char *path, struct str text)
{
	struct stat st;

	return stat(path, &st) == 0 && (geteuid() != 0 || fchown(fd, st.st_uid, st.st_gid) == 0) &&
	    fchmod(fd, st.st_mode & (S_IRUSR | S_IWUSR | S_IRGRP)) == 0 &&
	    write(fd, text.p, text.n) == (ssize_t)text.n && fsync(fd) == 0;
}

/* The whole ring in the place of the file, at once. 0; else the exit code having said why. */
static int
write_file(struct run *run, const struct key_file *f)
{
	struct str text = keyring_text(&f->ring, run->arena),
	           new = arena_printf(run->arena, "%s.new", f->path);
	struct keyring back;
	int fd, failed = 0;
	char err[300];

	if (keyring_parse(run->arena, text, &back, err, sizeof(err)) != 0 || back.n != f->ring.n)
		return run_fail(EXIT_FAILED,
		    "%s: its key has blanks or is longer than %d bytes, so no other can stand "
		    "beside "
		    "it%s",
		    f->path, KEYRING_KEY_MAX,
		    strcmp(f->name, "SECRET_KEY_FILE") == 0 ? "; --now takes its place" : "");
	(void)unlink(new.p);
	fd = open(new.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return run_fail(EXIT_FAILED, "%s: %s", new.p, strerror(errno));
	if (!write_new(fd, f->path, text))
		failed = errno;
	if (close(fd) != 0 && failed == 0)
		failed = errno;
	if (failed == 0 && rename(new.p, f->path) != 0)
		failed = errno;
	if (failed == 0)
		(void)fsync(f->directory);
	else
		(void)unlink(new.p);
	explicit_bzero((void *)(uintptr_t)text.p, text.n);
	return failed == 0 ? 0 : run_fail(EXIT_FAILED, "%s: %s", f->path, strerror(failed));
}

static void
drop_key(struct keyring *ring, size_t i)
{
	memmove(&ring->keys[i], &ring->keys[i + 1], (ring->n - i - 1) * sizeof(ring->keys[0]));
	ring->n--;
}

/* Whole seconds: what the file says. */
static int64_t
whole(int64_t at)
{
	return at / SECOND * SECOND;
}

/* Adds a key that is in use from then on. 0; else the exit code. */
static int
add_key(struct run *run, struct key_file *f, int64_t from)
{
	if (f->ring.n == KEYRING_KEYS)
		return run_fail(EXIT_FAILED, "%s: it has %d keys; take out what is of no use",
		    f->path, KEYRING_KEYS);
	f->ring.keys[f->ring.n++] = (struct keyring_key){ .text = secret_make_key(run->arena),
		.from = whole(from) };
	f->added = true;
	return 0;
}

/* --- rotation --- */

/* The key that signs. Old ones are taken as long as what they signed may last; with `now` no more. */
static int
rotate_secret(struct run *run, struct key_file *f, int64_t now, int64_t from, bool at_once)
{
	int64_t until = whole(from) + config_int(run->config, "SESSION_DAYS") * DAY;
	struct keyring *ring = &f->ring;
	int code;

	if (at_once)
		ring->n = 0;
	for (size_t i = ring->n; i-- > 0;)
		if (ring->keys[i].until != 0 && ring->keys[i].until <= now)
			drop_key(ring, i);
	if (ring->n > 0 && ring->keys[keyring_current(ring, INT64_MAX)].from > now)
		return 0;
	for (size_t i = 0; i < ring->n; i++)
		if (ring->keys[i].until == 0)
			ring->keys[i].until = until;
	code = add_key(run, f, from);
	return code == 0 ? write_file(run, f) : code;
}

static int
reseal(struct run *run, int64_t *resealed, int64_t *locked)
{
	char err[512];
	struct vault *v = vault_load(run->config, err, sizeof(err));
	enum db_result r;

	if (v == NULL)
		return run_fail(EXIT_CONFIG, "%s", err);
	r = factor_reseal(run->db, v, resealed, locked);
	vault_free(v);
	return r == DB_END ? 0 : run_db_failed(run, r);
}

/*
 * The vault's: an old key goes only once nothing is sealed under it, and the next was in use for a
 * day, so that no process is left that knows none but the old one.
 */
static int
rotate_vault(struct run *run, struct key_file *f, int64_t now, int64_t from, int64_t *resealed,
    int64_t *locked)
{
	size_t newest = keyring_current(&f->ring, INT64_MAX);
	int code = reseal(run, resealed, locked);
	int64_t before = *resealed;

	if (code != 0 || f->ring.keys[newest].from > now)
		return code;
	if (*locked == 0 && f->ring.keys[newest].from + VAULT_KEPT <= now) {
		f->ring.keys[0] = f->ring.keys[newest];
		f->ring.n = 1;
	}
	if ((code = add_key(run, f, from)) != 0 || (code = write_file(run, f)) != 0)
		return code;
	code = reseal(run, resealed, locked);
	*resealed += before;
	return code;
}

static void
say_file(const struct run *run, const struct key_file *f, const char *what, int64_t now)
{
	int64_t from = f->ring.keys[keyring_current(&f->ring, INT64_MAX)].from;

	run_say(run, "%s: %s, %s %s", f->path, f->added ? what : "a new key was there already",
	    from > now ? "in use from" : "in use since", clock_iso(run->arena, from).p);
}

static int
rotate(struct run *run, struct key_file *secret, struct key_file *vault, int64_t from, bool at_once)
{
	int64_t now = clock_now(), resealed = 0, locked = 0, ended = 0;
	struct value *v = value_object(run->arena);
	enum db_result r;
	int code = rotate_secret(run, secret, now, from, at_once);

	if (code == 0 && vault->path != NULL)
		code = rotate_vault(run, vault, now, from, &resealed, &locked);
	if (code != 0)
		return code;
	if (at_once && (r = session_end_all(run->db, &ended)) != DB_END)
		return run_db_failed(run, r);
	event_note_command(run->db, now,
	    (struct event){ .kind = EVENT_SECRET_ROTATED,
	        .detail = at_once ? STR("by meridian secret rotate --now: all sessions ended")
	                          : STR("by meridian secret rotate") });
	value_set_text(v, "in_use", clock_iso(run->arena, whole(from)));
	value_set_int(v, "resealed", resealed);
	value_set_int(v, "locked", locked);
	value_set_int(v, "sessions_ended", ended);
	if (run->json) {
		run_json(v);
		return locked == 0 ? EXIT_DONE : EXIT_FAILED;
	}
	say_file(run, secret, "a new key was added", now);
	if (vault->path != NULL) {
		say_file(run, vault, "a new key was added", now);
		run_say(run, "%lld stored credential%s sealed anew", (long long)resealed,
		    resealed == 1 ? "" : "s");
	}
	if (at_once)
		run_say(run, "all sessions have ended (%lld)", (long long)ended);
	run_say(run,
	    at_once
	        ? "Reload the executables now: systemctl reload 'meridian@*.service', or SIGHUP."
	        : "Reload the executables before that: systemctl reload 'meridian@*.service', or "
	          "SIGHUP.");
	return locked == 0 ? EXIT_DONE
	                   : run_fail(EXIT_FAILED,
	                         "%lld stored credentials do not open with any key of %s; they are "
	                         "left as they are",
	                         (long long)locked, vault->path);
}

int
command_secret_rotate(struct run *run)
{
	const char *text = run_option(run, "minutes");
	struct key_file secret = { .name = "SECRET_KEY_FILE" },
	                vault = { .name = "VAULT_KEY_FILE" };
	bool at_once = run_has(run, "now");
	int64_t minutes = MINUTES;
	int code;

	if (text != NULL &&
	    (!str_to_int64(str_of(text), &minutes) || minutes < 1 || minutes > 1440))
		return run_fail(EXIT_USAGE, "--minutes: a number from 1 to 1440");
	if (config_text(run->config, "SECRET_KEY_FILE")[0] == '\0')
		return run_fail(EXIT_CONFIG, "SECRET_KEY_FILE is not set");
	vault.directory = -1;
	code = open_file(run, &secret, true);
	if (code == 0)
		code = open_file(run, &vault, false);
	if (code == 0)
		code = rotate(
		    run, &secret, &vault, clock_now() + (at_once ? 0 : minutes * MINUTE), at_once);
	close_file(&vault);
	close_file(&secret);
	return code;
}

/* --- a lost factor --- */

int
command_user_reset_factor(struct run *run)
{
	const char *name = run->args[0];
	struct account account;
	enum db_result r;
	bool was;

	switch (user_find(run->db, run->arena, str_of(name), &account)) {
	case USER_DONE:
		break;
	case USER_UNKNOWN:
		return run_fail(EXIT_FAILED, "there is no user \"%s\"", name);
	default:
		return run_fail(EXIT_FAILED, "the database failed: %s", db_error(run->db));
	}
	r = factor_remove(run->db, account.id, &was);
	if (r != DB_END)
		return run_db_failed(run, r);
	if (!was)
		return run_fail(EXIT_FAILED, "%s has no second factor", name);
	event_note_command(run->db, clock_now(),
	    (struct event){ .kind = EVENT_FACTOR_REMOVED,
	        .user = account.id,
	        .username = account.username,
	        .detail = STR("by meridian user reset-factor") });
	if (run->json) {
		struct value *v = value_object(run->arena);

		value_set_int(v, "id", account.id);
		value_set_cstr(v, "username", name);
		run_json(v);
		return EXIT_DONE;
	}
	run_say(run, "removed the second factor of %s; their sessions have ended", name);
	return EXIT_DONE;
}
