/*
 * meridian check: what is wrong with the configuration, the database and the templates; with
 * --deploy also what is unsafe on a network, and how to mend it.
 */
#include "meridian.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auth/factor.h"
#include "auth/secret.h"
#include "auth/vault.h"
#include "base/sandbox.h"
#include "db/roles.h"
#include "http/proxy.h"
#include "http/template.h"
#include "tom/mail.h"
#include "tom/registration.h"
#include "tom/site.h"
#include "tom/user.h"

struct findings {
	struct run *run;
	struct value *list;
	size_t errors, warnings;
};

/* A finding: what is so, and how to mend it. */
static void
found(struct findings *f, bool is_error, struct str what, const char *mend)
{
	struct value *v = value_add_object(f->list);

	*(is_error ? &f->errors : &f->warnings) += 1;
	value_set_cstr(v, "level", is_error ? "error" : "warning");
	value_set_text(v, "what", what);
	value_set_cstr(v, "mend", mend);
	run_say(f->run, "%s: %.*s", is_error ? "ERROR" : "warning", STR_ARG(what));
	run_say(f->run, "    %s", mend);
}

static const char *
text(const struct findings *f, const char *key)
{
	return config_text(f->run->config, key);
}

/* --- files --- */

/* The nearest folder above the file, named by its whole path, that is a git work tree; or absent. */
static struct str
work_tree_of(struct arena *a, const char *path)
{
	char *dir = arena_strdup(a, path);

	while (strcmp(dir, "/") != 0) {
		struct str git;

		dir = dirname(dir);
		git = arena_printf(a, "%s/.git", dir);
		if (access(git.p, F_OK) == 0)
			return str_of(dir);
	}
	return STR_NONE;
}

/* Runs git in a tree, without a shell; its exit status, or -1. *said: did it print anything? */
static int
ask_git(const char *tree, const char *const words[], bool *said)
{
	const char *argv[16] = { "git", "-c", "safe.directory=*", "-C", tree };
	int status, null, out[2];
	size_t n = 5;
	char byte;
	pid_t pid;

	while (n + 1 < NELEM(argv) && *words != NULL)
		argv[n++] = *words++;
	if (pipe(out) != 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		null = open("/dev/null", O_RDWR);
		if (null >= 0 && dup2(out[1], 1) >= 0 && dup2(null, 2) >= 0)
			execvp("git", (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	close(out[1]);
	*said = read(out[0], &byte, 1) == 1;
	close(out[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* 1 ignored, 0 not, -1 git cannot be asked. */
static int
git_ignores(const char *tree, const char *path)
{
	bool said;
	int status = ask_git(
	    tree, (const char *const[]){ "check-ignore", "-q", "--", path, NULL }, &said);

	return status == 0 ? 1 : status == 1 ? 0 : -1;
}

/* Does any commit have a file of that path, or had? */
static bool
git_has_had(const char *tree, const char *path)
{
	bool said = false;

	(void)ask_git(
	    tree, (const char *const[]){ "rev-list", "-n", "1", "--all", "--", path, NULL }, &said);
	return said;
}

/* What counts is where the file is, not the link or the relative path that leads to it. */
static void
check_git(struct findings *f, const char *what, const char *named)
{
	struct arena *a = f->run->arena;
	char *path = realpath(named, NULL);
	struct str tree = path != NULL ? work_tree_of(a, path) : STR_NONE;
	int ignored = tree.p != NULL ? git_ignores(tree.p, path) : 1;

	if (tree.p != NULL && git_has_had(tree.p, path))
		found(f, true,
		    arena_printf(
		        a, "%s %s was committed to the git work tree %s", what, path, tree.p),
		    "It is in every clone: make a new one (`meridian init` makes keys, after the "
		    "file is removed), and keep that elsewhere.");
	if (ignored == 0)
		found(f, true,
		    arena_printf(a, "%s %s lies in the git work tree %s, which does not ignore it",
		        what, path, tree.p),
		    "Move it out of the work tree, or name it in .gitignore before it is "
		    "committed.");
	else if (ignored < 0)
		found(f, false,
		    arena_printf(a,
		        "%s %s lies in the git work tree %s, and git could not be asked whether it "
		        "ignores it",
		        what, path, tree.p),
		    "Move it out of the work tree, or see to it that .gitignore names it.");
	free(path);
}

/* A file that others of this machine should not be able to read. */
static void
check_private(struct findings *f, const char *what, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && (st.st_mode & S_IRWXO) != 0)
		found(f, true,
		    arena_printf(f->run->arena,
		        "%s %s can be read or written by every user of this machine", what, path),
		    "chmod o-rwx, and see who owns it.");
}

/* A password between the user's name and the '@', or among the parameters. */
static bool
holds_password(const char *url)
{
	const char *rest = strstr(url, "://"), *at, *colon;

	if (strncmp(url, "sqlite:", 7) == 0 || rest == NULL)
		return false;
	rest += 3;
	at = memrchr(rest, '@', strcspn(rest, "/?"));
	colon = strchr(rest, ':');
	return (at != NULL && colon != NULL && colon < at) || strstr(rest, "?password=") != NULL ||
	    strstr(rest, "&password=") != NULL;
}

static void
check_files(struct findings *f, bool deploy)
{
	static const char *const secrets[] = { "SECRET_KEY_FILE", "VAULT_KEY_FILE",
		"DATABASE_PASSWORD_FILE", "MAIL_PASSWORD_FILE" };
	const char *url = text(f, "DATABASE_URL");
	const char *conf = config_path(f->run->config);
	struct stat st;

	for (size_t i = 0; i < NELEM(secrets); i++)
		if (text(f, secrets[i])[0] != '\0') {
			check_git(f, secrets[i], text(f, secrets[i]));
			check_private(f, secrets[i], text(f, secrets[i]));
		}
	if (strncmp(url, "sqlite:", 7) == 0) {
		check_git(f, "the database", url + 7);
		if (deploy)
			check_private(f, "the database", url + 7);
	}
	if (conf[0] != '\0' && stat(conf, &st) == 0 && (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		found(f, true, arena_printf(f->run->arena, "%s can be written by others", conf),
		    "chmod go-w: who writes it says where secrets and templates are read from.");
	if (holds_password(url))
		found(f, true, STR("DATABASE_URL holds a password"),
		    "Put it into a file of mode 0600 and name that as DATABASE_PASSWORD_FILE.");
}

/* --- what was set --- */

static void
check_environment(struct findings *f)
{
	struct str name;

	for (size_t i = 0; (name = config_stray(f->run->arena, i)).p != NULL; i++)
		found(f, false,
		    arena_printf(f->run->arena,
		        "the environment holds %s, which is no key: it has no effect", name.p),
		    "Mend the name, or take the variable away.");
}

static void
check_templates(struct findings *f)
{
	const char *overrides = text(f, "TEMPLATES");
	struct str dir = arena_printf(f->run->arena, "%s/templates", text(f, "SHARE_DIR"));
	struct templates *t = templates_new(dir.p, overrides[0] != '\0' ? overrides : NULL);
	char err[512];

	if (templates_compile_all(t, err, sizeof(err)) != 0)
		found(f, true, arena_copy(f->run->arena, err, strlen(err)),
		    "Mend the template, or take it out of the directory TEMPLATES names.");
	templates_free(t);
}

static void
check_secret(struct findings *f)
{
	char err[512];
	struct secret *s = secret_load(f->run->config, err, sizeof(err));

	if (s == NULL)
		found(f, true, arena_copy(f->run->arena, err, strlen(err)),
		    access(text(f, "SECRET_KEY_FILE"), F_OK) == 0
		        ? SECRET_MEND
		        : "`meridian init` makes a key where none is.");
	secret_free(s);
}

static void
check_vault(struct findings *f)
{
	char err[512];
	struct vault *v = vault_load(f->run->config, err, sizeof(err));
	const char *wrong = factor_config_wrong(f->run->config);

	if (v == NULL && err[0] != '\0')
		found(f, true, arena_copy(f->run->arena, err, strlen(err)),
		    access(text(f, "VAULT_KEY_FILE"), F_OK) == 0
		        ? VAULT_MEND
		        : "`meridian init` makes a key where none is.");
	if (wrong != NULL)
		found(f, true, str_of(wrong), "No executable starts before.");
	vault_free(v);
}

/* Is the file below the directory? */
static bool
is_below(const char *path, const char *directory)
{
	size_t n = strlen(directory);

	while (n > 0 && directory[n - 1] == '/')
		n--;
	return n > 0 && strncmp(path, directory, n) == 0 && path[n] == '/';
}

/* What lies where it should not: where the web server reads, or beside the database that all write. */
static void
check_places(struct findings *f)
{
	static const char *const files[] = { "SECRET_KEY_FILE", "VAULT_KEY_FILE",
		"DATABASE_PASSWORD_FILE", "MAIL_PASSWORD_FILE" };
	struct arena *a = f->run->arena;
	const char *url = text(f, "DATABASE_URL"), *share = text(f, "SHARE_DIR");
	const char *file = strncmp(url, "sqlite:", 7) == 0 ? url + 7 : NULL;

	if (file != NULL && is_below(file, share))
		found(f, true, arena_printf(a, "the database lies in SHARE_DIR, %s", share),
		    "The web server reads there: move it to a directory of its own.");
	for (size_t i = 0; i < NELEM(files); i++) {
		const char *path = text(f, files[i]);

		if (is_below(path, share))
			found(f, true, arena_printf(a, "%s lies in SHARE_DIR, %s", files[i], share),
			    "The web server reads there: move it elsewhere, such as "
			    "/etc/meridian.");
		else if (file != NULL && path[0] != '\0' &&
		    is_below(path, dirname(arena_strdup(a, file))))
			found(f, false, arena_printf(a, "%s lies beside the database", files[i]),
			    "Every executable reads and writes that directory: move it elsewhere, "
			    "such as /etc/meridian.");
	}
}

static void
check_sandbox(struct findings *f)
{
	struct sandbox box;

	if (!config_bool(f->run->config, "SANDBOX")) {
		found(f, true, STR("SANDBOX is off"),
		    "Take the key out: workers then give up what they do not need.");
		return;
	}
	sandbox_begin(&box);
	if (box.rules >= 0)
		close(box.rules);
	else
		found(f, false,
		    STR("this kernel has no Landlock: workers can open every file of their user"),
		    "Boot with lsm=landlock,... or a kernel of 5.13 or later.");
}

/* Does each executable have an account of its own, and can it sign in? */
static void
check_roles(struct findings *f)
{
	const char *dir = text(f, "DATABASE_ROLES_DIR");
	struct arena *a = f->run->arena;
	char err[512] = "";

	if (db_engine(f->run->db) == DB_SQLITE)
		return;
	if (dir[0] == '\0') {
		found(f, false, STR("one account of the database serves all executables"),
		    "Set DATABASE_ROLES_DIR and run `meridian roles`: then only login reads "
		    "hashes.");
		return;
	}
	for (size_t i = 0; role_names[i] != NULL; i++) {
		struct str path = arena_printf(a, "%s/%s", dir, role_names[i]);
		struct db *db = db_new_as(f->run->config, role_names[i], err, sizeof(err));

		check_private(f, "the password", path.p);
		if (db == NULL || db_run(db_query(db, QUERY_SCHEMA_VERSIONS)) != DB_END)
			found(f, true,
			    arena_printf(a, "%s has no account in the database: %s", role_names[i],
			        db == NULL ? err : arena_strdup(a, db_error(db))),
			    "Run `meridian roles`; meridian(1) says what else the server must "
			    "allow.");
		db_free(db);
	}
}

/* What needs mail, and whether mail can leave. */
static void
check_mail(struct findings *f, bool deploy)
{
	struct config *c = f->run->config;
	bool reset = config_bool(c, "TOM_PASSWORD_RESET_ENABLED");
	const char *wrong = mail_settings_wrong(c), *url = text(f, "MAIL_SMTP_URL");

	if (wrong != NULL)
		found(f, true, str_of(wrong), "meridian.conf(5) shows what mail needs.");
	if (mail_is_on(c) && (wrong = registration_settings_wrong(c)) != NULL)
		found(f, true, str_of(wrong), "login does not start before this is mended.");
	if (!mail_is_on(c) && (reset || registration_strategy(c) != REGISTRATION_NONE))
		found(f, true,
		    arena_printf(f->run->arena, "%s needs mail, and MAIL_TRANSPORT is none",
		        reset ? "TOM_PASSWORD_RESET_ENABLED" : "TOM_REGISTRATION_STRATEGY"),
		    "Set MAIL_TRANSPORT to sendmail or smtp, and start `meridian mail send "
		    "--watch`.");
	if (strcmp(text(f, "MAIL_TRANSPORT"), "sendmail") == 0 &&
	    access(text(f, "SENDMAIL_PATH"), X_OK) != 0)
		found(f, true,
		    arena_printf(f->run->arena, "SENDMAIL_PATH %s: %s", text(f, "SENDMAIL_PATH"),
		        strerror(errno)),
		    "Install a program of that name (package msmtp-mta, or a mail server).");
	if (deploy && mail_is_on(c) && !config_bool(c, "MAIL_SMTP_STARTTLS") &&
	    strncmp(url, "smtp://", 7) == 0 && strncmp(url, "smtp://localhost", 16) != 0 &&
	    strncmp(url, "smtp://127.", 11) != 0 && strncmp(url, "smtp://[::1]", 12) != 0)
		found(f, false, STR("mail travels without TLS, and links to set passwords with it"),
		    "Take the key out, or name a mail server of this machine.");
	if (text(f, "TOM_TERMS_OF_SERVICE_VERSION")[0] != '\0' &&
	    text(f, "TERMS_FILE")[0] == '\0' && text(f, "TEMPLATES")[0] == '\0')
		found(f, false, STR("TOM_TERMS_OF_SERVICE_VERSION is set, but there is no text"),
		    "Name a file with it as TERMS_FILE.");
}

/* Patterns that open all of a site that is LOCKED: those that fit a path nobody would name. */
static void
check_open_urls(struct findings *f)
{
	struct str pattern;

	for (size_t i = 0; (pattern = config_item(f->run->config, "OPEN_URLS", i)).p != NULL; i++)
		if (strcmp(text(f, "AUTH_STRATEGY"), "LOCKED") == 0 &&
		    fnmatch(pattern.p, "/which/nobody/names", FNM_NOESCAPE) == 0)
			found(f, true,
			    arena_printf(f->run->arena,
			        "OPEN_URLS holds %.*s: the site is not LOCKED", STR_ARG(pattern)),
			    "Name what is open, such as /targets/.");
}

/* Networks that hold the addresses of strangers: these are of documentation, and no proxy's. */
static void
check_proxies(struct findings *f)
{
	static const char *const strangers[] = { "203.0.113.7", "2001:db8::7" };
	struct str hop = STR("192.0.2.7");

	for (size_t i = 0; i < NELEM(strangers); i++)
		if (str_eq(
		        proxy_address(f->run->arena, f->run->config, str_of(strangers[i]), &hop, 1),
		        hop)) {
			found(f, true,
			    STR("TRUSTED_PROXIES holds everybody: visitors say what their address "
			        "is"),
			    "Name the addresses of the proxies alone, or guessing is not slowed "
			    "down.");
			return;
		}
}

static void
check_settings(struct findings *f)
{
	struct config *c = f->run->config;

	if (config_bool(c, "INSECURE_HTTP"))
		found(f, true, STR("INSECURE_HTTP is on: cookies travel without TLS"),
		    "Take the key out and serve https; deploy/nginx and deploy/apache have "
		    "examples.");
	for (size_t i = 0;; i++) {
		struct str host = config_item(c, "ALLOWED_HOSTS", i);

		if (host.p == NULL)
			break;
		if (str_find(host, '*') < host.n)
			found(f, true, STR("ALLOWED_HOSTS holds a *"),
			    "Name each host; the Sites table holds the ones of this site.");
	}
	check_sandbox(f);
	check_places(f);
	check_open_urls(f);
	check_proxies(f);
	if (config_int(c, "SESSION_DAYS") > 30)
		found(f, false, STR("sessions last longer than 30 days"),
		    "Take SESSION_DAYS out: 14 days.");
	if (config_int(c, "PASSWORD_MIN_LENGTH") < 15)
		found(f, false,
		    arena_printf(f->run->arena, "PASSWORD_MIN_LENGTH is %lld",
		        (long long)config_int(c, "PASSWORD_MIN_LENGTH")),
		    "15 characters is the least where the password is the only factor (NIST SP "
		    "800-63B).");
	if (config_text(c, "PASSWORD_BREACH_FILE")[0] != '\0' &&
	    access(config_text(c, "PASSWORD_BREACH_FILE"), R_OK) != 0)
		found(f, true, STR("PASSWORD_BREACH_FILE cannot be read: no password can be set"),
		    "Let the user whom the site runs as read it, or take the key out.");
	if (config_bool(c, "PASSWORD_IMPORT_MD5"))
		found(f, false, STR("PASSWORD_IMPORT_MD5 is on"),
		    "Take the key out when the users of the old site have signed in once.");
	if (config_int(c, "PASSWORD_FLOOR_MS") < 500)
		found(f, false,
		    STR("PASSWORD_FLOOR_MS is shorter than a hash takes: times tell who has an "
		        "account"),
		    "Take the key out.");
	if (config_bool(c, "OPEN_SEARCH"))
		found(f, false,
		    STR("OPEN_SEARCH is on: visitors may export and search without bounds"),
		    "Take the key out unless the site is meant to be an open archive.");
	if (strcmp(config_text(c, "LOG_LEVEL"), "debug") == 0)
		found(f, false, STR("LOG_LEVEL is debug"), "Set it to info or warn.");
}

/* --- the database --- */

static void
check_sites(struct findings *f)
{
	int64_t in_use = config_int(f->run->config, "SITE_ID");
	struct site site;
	enum db_result r = site_get(f->run->db, f->run->arena, in_use, &site);

	if (r == DB_END)
		found(f, true,
		    arena_printf(f->run->arena, "there is no site %lld, which SITE_ID names",
		        (long long)in_use),
		    "`meridian site list` shows what there is; set SITE_ID to one of them.");
	else if (r == DB_ROW &&
	    (str_starts(site.domain, "localhost") || str_starts(site.domain, "127.") ||
	        str_is(site.domain, "example.com")))
		found(f, true,
		    arena_printf(f->run->arena,
		        "the site is called %s, a name that other machines do not know it by",
		        site.domain.p),
		    "`meridian site set HOST`, or Admin, Sites.");
}

/* PostgreSQL finds parts of names by an extension that not everybody may create. */
static void
check_part_index(struct findings *f)
{
	struct query *q;
	bool there;

	if (db_engine(f->run->db) != DB_POSTGRESQL)
		return;
	q = db_query(f->run->db, QUERY_SCHEMA_PART_INDEX);
	there = db_step(q) == DB_ROW;
	if (db_done(q) == DB_END && !there)
		found(f, false, STR("searches for a part of a name read all names"),
		    "Let a superuser of PostgreSQL run CREATE EXTENSION pg_trgm in the database, "
		    "then "
		    "run meridian migrate.");
}

static void
check_superusers(struct findings *f)
{
	struct str after = STR("");
	struct account *list;
	size_t n;

	do {
		if (user_list(f->run->db, f->run->arena, 0, after, 500, &list, &n) != USER_DONE)
			return;
		for (size_t i = 0; i < n; i++)
			if (list[i].is_active && list[i].is_superuser)
				return;
		if (n > 0)
			after = list[n - 1].username;
	} while (n == 500);
	found(f, true, STR("there is no active superuser"),
	    "`meridian user add NAME --superuser`, or `meridian user enable NAME`.");
}

/* Accounts that may do everything and have nothing but a password. */
static void
check_factors(struct findings *f)
{
	struct arena *a = f->run->arena;
	struct str names[10], all = STR("");
	size_t n;

	if (factor_missing(f->run->db, a, NELEM(names), names, &n) != DB_END || n == 0)
		return;
	for (size_t i = 0; i < n; i++)
		all = arena_printf(a, "%s%s%s", all.p, i > 0 ? ", " : "", names[i].p);
	found(f, false,
	    arena_printf(a, "superusers without a second factor: %s%s", all.p,
	        n == NELEM(names) ? " ..." : ""),
	    "Each sets one up at /accounts/factor/; TOM_MFA_REQUIRED = superusers asks them to.");
}

static void
check_database(struct findings *f, bool deploy)
{
	struct arena *a = f->run->arena;
	char err[512];

	f->run->db = db_new(f->run->config, err, sizeof(err));
	if (f->run->db == NULL) {
		found(
		    f, true, arena_copy(a, err, strlen(err)), "meridian.conf(5) shows the forms.");
		return;
	}
	if (db_schema_check(f->run->db, err, sizeof(err)) != 0) {
		found(f, true, arena_copy(a, err, strlen(err)),
		    "Executables refuse to start until this is mended.");
		return;
	}
	check_part_index(f);
	check_superusers(f);
	if (deploy) {
		check_sites(f);
		check_factors(f);
		check_roles(f);
	}
}

int
command_check(struct run *run)
{
	struct findings f = { .run = run, .list = value_list(run->arena) };
	bool deploy = run_has(run, "deploy");

	check_environment(&f);
	check_files(&f, deploy);
	check_secret(&f);
	check_vault(&f);
	check_templates(&f);
	check_mail(&f, deploy);
	check_database(&f, deploy);
	if (deploy)
		check_settings(&f);
	if (run->json) {
		struct value *v = value_object(run->arena);

		value_set(v, "findings", f.list);
		value_set_int(v, "errors", (int64_t)f.errors);
		value_set_int(v, "warnings", (int64_t)f.warnings);
		run_json(v);
	} else {
		run_say(run, "%zu error%s, %zu warning%s.%s", f.errors, f.errors == 1 ? "" : "s",
		    f.warnings, f.warnings == 1 ? "" : "s",
		    deploy || f.errors > 0 ? "" : " With --deploy more is looked at.");
	}
	return f.errors > 0 ? EXIT_FAILED : EXIT_DONE;
}
