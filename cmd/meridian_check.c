/*
 * meridian check: what is wrong with the configuration, the database and the templates; with
 * --deploy also what is unsafe on a network, and how to mend it.
 */
#include "check.h"

#include <string.h>
#include <unistd.h>

#include "auth/factor.h"
#include "auth/secret.h"
#include "auth/vault.h"
#include "db/roles.h"
#include "http/template.h"
#include "tom/rights.h"
#include "tom/site.h"
#include "tom/user.h"

#define TARGETS_LOOKED_AT 1000 /* for measurements without rights */

void
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

const char *
check_text(const struct findings *f, const char *key)
{
	return config_text(f->run->config, key);
}

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
	const char *overrides = check_text(f, "TEMPLATES");
	struct str dir = arena_printf(f->run->arena, "%s/templates", check_text(f, "SHARE_DIR"));
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
		    access(check_text(f, "SECRET_KEY_FILE"), F_OK) == 0
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
		    access(check_text(f, "VAULT_KEY_FILE"), F_OK) == 0
		        ? VAULT_MEND
		        : "`meridian init` makes a key where none is.");
	if (wrong != NULL)
		found(f, true, str_of(wrong), "No executable starts before.");
	vault_free(v);
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

/*
 * Measurements of before TARGET_PERMISSIONS_ONLY = no: superusers alone see them. The oldest targets tell.
 */
static void
check_rights(struct findings *f)
{
	size_t n;

	if (config_bool(f->run->config, "TARGET_PERMISSIONS_ONLY") ||
	    rights_count_missing(f->run->db, f->run->arena, TARGETS_LOOKED_AT, &n) != DB_END ||
	    n == 0)
		return;
	found(f, false,
	    STR("TARGET_PERMISSIONS_ONLY is no, and there are measurements that nobody has rights "
	        "on"),
	    "`meridian rights fill` gives some, meridian(1) says which; superusers see them all.");
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

/* Does each executable have an account of its own, and can it sign in? */
static void
check_roles(struct findings *f)
{
	const char *dir = check_text(f, "DATABASE_ROLES_DIR");
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
	if (check_text(f, "DATABASE_PASSWORD_FILE")[0] == '\0')
		found(f, false,
		    STR("the account of DATABASE_URL, which may do everything, signs in without a "
		        "password"),
		    "An executable that was taken over can sign in as it, too: the server knows "
		    "both by the system's user. Give it a password, and DATABASE_PASSWORD_FILE.");
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
	check_rights(f);
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
