/*
 * meridian roles: an account in the database server for each executable, with the rights of sql/roles.
 *
 * Passwords are made where DATABASE_ROLES_DIR has none, a file of mode 0600 each. What is granted is
 * always what this version's table says: run it again after each `meridian migrate`.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/secret.h"
#include "db/roles.h"
#include "meridian.h"

#define TABLES_MAX 200
#define COLUMNS_MAX 200

struct table {
	const char *name;
	const char *columns[COLUMNS_MAX];
	size_t ncolumns;
};

struct granting {
	struct run *run;
	enum db_engine engine;
	const char *database, *home, *host; /* of schema_where */
	struct table tables[TABLES_MAX];
	size_t ntables;
	const char *sql[2000];
	size_t n;
};

static void
say(struct granting *g, struct str sql)
{
	if (g->n < NELEM(g->sql))
		g->sql[g->n++] = sql.p;
}

/* A name in the quotes of the engine. */
static const char *
quoted(struct granting *g, const char *name)
{
	char quote = g->engine == DB_MARIADB ? '`' : '"';
	struct buf b = { 0 };
	const char *out;

	buf_putc(&b, quote);
	for (const char *p = name; *p != '\0'; p++) {
		if (*p == quote)
			buf_putc(&b, quote);
		buf_putc(&b, *p);
	}
	buf_putc(&b, quote);
	out = arena_copy(g->run->arena, b.p, b.n).p;
	buf_free(&b);
	return out;
}

static const char *
account(struct granting *g, const char *role)
{
	struct arena *a = g->run->arena;
	const char *name = quoted(g, db_role_account(g->run->db, a, role));

	return g->engine == DB_MARIADB ? arena_printf(a, "%s@%s", name, quoted(g, g->host)).p
	                               : name;
}

static enum db_result
read_schema(struct granting *g)
{
	struct arena *a = g->run->arena;
	struct query *q = db_query(g->run->db, QUERY_SCHEMA_WHERE);
	enum db_result r;

	while (db_step(q) == DB_ROW) {
		g->database = db_col_copy(q, "name", a).p;
		g->home = db_col_copy(q, "home", a).p;
		g->host = db_col_copy(q, "host", a).p;
	}
	if ((r = db_done(q)) != DB_END)
		return r;
	q = db_query(g->run->db, QUERY_SCHEMA_COLUMNS);
	while (db_step(q) == DB_ROW) {
		struct str name = db_col_copy(q, "name", a);
		struct table *t = g->ntables == 0 ? NULL : &g->tables[g->ntables - 1];

		if (t == NULL || strcmp(t->name, name.p) != 0) {
			if (g->ntables == TABLES_MAX)
				break;
			t = &g->tables[g->ntables++];
			t->name = name.p;
		}
		if (t->ncolumns < COLUMNS_MAX)
			t->columns[t->ncolumns++] = db_col_copy(q, "column", a).p;
	}
	return db_done(q);
}

/* "SELECT", "SELECT (a, b)", or nothing; appended with a comma where something stands there. */
static void
add_verb(
    struct granting *g, struct buf *b, const char *role, enum role_verb verb, const struct table *t)
{
	static const char *const words[] = { [ROLE_READ] = "SELECT",
		[ROLE_ADD] = "INSERT",
		[ROLE_CHANGE] = "UPDATE",
		[ROLE_DELETE] = "DELETE" };
	bool by_column = verb == ROLE_READ || verb == ROLE_CHANGE;
	size_t covered = 0;

	for (size_t i = 0; i < t->ncolumns; i++)
		covered += role_may(role, verb, t->name, t->columns[i]);
	if (covered == 0)
		return;
	buf_printf(b, "%s%s", b->n > 0 ? ", " : "", words[verb]);
	if (!by_column || covered == t->ncolumns)
		return;
	buf_puts(b, " (");
	for (size_t i = 0, n = 0; i < t->ncolumns; i++)
		if (role_may(role, verb, t->name, t->columns[i]))
			buf_printf(b, "%s%s", n++ > 0 ? ", " : "", quoted(g, t->columns[i]));
	buf_putc(b, ')');
}

static void
grant(struct granting *g, const char *role, const char *to)
{
	struct arena *a = g->run->arena;
	const char *home = quoted(g, g->home);

	if (g->engine == DB_POSTGRESQL) {
		say(g, arena_printf(a, "REVOKE ALL ON ALL TABLES IN SCHEMA %s FROM %s", home, to));
		say(g, arena_printf(a, "GRANT USAGE ON SCHEMA %s TO %s", home, to));
	} else {
		say(g, arena_printf(a, "REVOKE ALL PRIVILEGES, GRANT OPTION FROM %s", to));
	}
	for (size_t i = 0; i < g->ntables; i++) {
		const struct table *t = &g->tables[i];
		struct buf verbs = { 0 };

		for (enum role_verb v = ROLE_READ; v <= ROLE_DELETE; v++)
			add_verb(g, &verbs, role, v, t);
		if (verbs.n > 0)
			say(g,
			    arena_printf(a, "GRANT %.*s ON %s.%s TO %s", (int)verbs.n, verbs.p,
			        home, quoted(g, t->name), to));
		buf_free(&verbs);
	}
}

/* The password of a role, and whether it was made now. NULL having said why there is none. */
static const char *
password(struct granting *g, const char *role, bool *made)
{
	const char *dir = config_text(g->run->config, "DATABASE_ROLES_DIR");
	struct arena *a = g->run->arena;
	struct str path = arena_printf(a, "%s/%s", dir, role), secret;
	char err[400] = "";
	int fd;

	*made = access(path.p, F_OK) != 0;
	if (*made) {
		secret = secret_make_key(a);
		fd = open(path.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0 || write(fd, secret.p, secret.n) != (ssize_t)secret.n ||
		    fsync(fd) != 0) {
			(void)run_fail(EXIT_FAILED, "%s: %s", path.p, strerror(errno));
			secret = STR_NONE;
		}
		if (fd >= 0)
			close(fd);
		return secret.p;
	}
	if (config_secret_at(a, path.p, "DATABASE_ROLES_DIR", &secret, err, sizeof(err)) == 0)
		return secret.p;
	(void)run_fail(EXIT_CONFIG, "%s", err);
	return NULL;
}

/*
 * A password of ours has no character that needs a quote. It stands in the second line, which no log
 * of ours has.
 */
static void
make_account(struct granting *g, const char *role, const char *to, const char *secret)
{
	struct arena *a = g->run->arena;
	const char *name = db_role_account(g->run->db, a, role);

	if (g->engine == DB_POSTGRESQL) {
		say(g,
		    arena_printf(a,
		        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '%s') "
		        "THEN "
		        "CREATE ROLE %s; END IF; END $$",
		        name, to));
		say(g, arena_printf(a, "ALTER ROLE %s LOGIN\nPASSWORD '%s'", to, secret));
	} else {
		say(g, arena_printf(a, "CREATE USER IF NOT EXISTS %s", to));
		say(g, arena_printf(a, "ALTER USER %s\nIDENTIFIED BY '%s'", to, secret));
	}
}

/* What nobody but the owner needs, and everybody has by default. */
static void
close_schema(struct granting *g)
{
	struct arena *a = g->run->arena;

	if (g->engine != DB_POSTGRESQL)
		return;
	say(g, arena_printf(a, "REVOKE CREATE ON SCHEMA %s FROM PUBLIC", quoted(g, g->home)));
	say(g,
	    arena_printf(a, "REVOKE TEMPORARY ON DATABASE %s FROM PUBLIC", quoted(g, g->database)));
}

/* Passwords that were made for accounts that were not: another run makes them again. */
static void
forget_passwords(struct granting *g, const bool *made)
{
	const char *dir = config_text(g->run->config, "DATABASE_ROLES_DIR");

	for (size_t i = 0; role_names[i] != NULL; i++)
		if (made[i])
			(void)unlink(arena_printf(g->run->arena, "%s/%s", dir, role_names[i]).p);
}

int
command_roles(struct run *run)
{
	struct granting *g = arena_alloc(run->arena, sizeof(*g));
	const char *dir = config_text(run->config, "DATABASE_ROLES_DIR");
	bool made[50] = { false };
	enum db_result r;

	g->run = run;
	g->engine = db_engine(run->db);
	if (g->engine == DB_SQLITE) {
		run_say(run,
		    "SQLite has no accounts: each executable's connection keeps to sql/roles.");
		return EXIT_DONE;
	}
	if (dir[0] == '\0')
		return run_fail(EXIT_CONFIG,
		    "DATABASE_ROLES_DIR is not set: name a directory for the passwords of the "
		    "accounts, "
		    "such as /etc/meridian/roles");
	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return run_fail(EXIT_FAILED, "%s: %s", dir, strerror(errno));
	if ((r = read_schema(g)) != DB_END)
		return run_db_failed(run, r);
	close_schema(g);
	for (size_t i = 0; i < NELEM(made) && role_names[i] != NULL; i++) {
		const char *to = account(g, role_names[i]);
		const char *secret = password(g, role_names[i], &made[i]);

		if (secret == NULL)
			return EXIT_FAILED;
		if (made[i] || run_has(run, "sql"))
			make_account(g, role_names[i], to, secret);
		grant(g, role_names[i], to);
	}
	if (run_has(run, "sql")) {
		for (size_t i = 0; i < g->n; i++)
			printf("%s;\n", g->sql[i]);
		return EXIT_DONE;
	}
	if ((r = db_run_text(run->db, g->sql, g->n)) != DB_END) {
		forget_passwords(g, made);
		(void)run_db_failed(run, r);
		return run_fail(EXIT_FAILED,
		    "The account of DATABASE_URL may need the right to make others: have `meridian "
		    "roles "
		    "--sql` run by an administrator of the server. Without DATABASE_ROLES_DIR one "
		    "account "
		    "serves all executables.");
	}
	run_say(run, "Each executable has an account of its own.");
	return EXIT_DONE;
}
