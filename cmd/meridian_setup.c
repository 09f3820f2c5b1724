/*
 * meridian init, migrate, seed, version: what makes a site and brings it forward.
 */
#include "meridian.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/password.h"
#include "auth/secret.h"
#include "auth/vault.h"
#include "config.h"
#include "tom/site.h"
#include "tom/target.h"
#include "tom/user.h"

int
command_version(struct run *run)
{
	if (run->json) {
		struct value *v = value_object(run->arena);

		value_set_cstr(v, "version", PACKAGE_VERSION);
		run_json(v);
		return EXIT_DONE;
	}
	printf("meridian %s\n", PACKAGE_VERSION);
	return EXIT_DONE;
}

/* What migrations were applied: said as they begin, and kept for --json. */
struct applied {
	const struct run *run;
	struct value *list;
	size_t n;
};

static void
tell(void *arg, const char *name, size_t step, size_t nsteps)
{
	struct applied *a = arg;

	(void)nsteps;
	if (step > 0)
		return;
	run_say(a->run, "migrating: %s", name);
	fflush(stdout);
	value_add_text(a->list, arena_copy(a->run->arena, name, strlen(name)));
	a->n++;
}

static int
migrate(struct run *run, struct applied *applied)
{
	char err[512];

	applied->run = run;
	applied->list = value_list(run->arena);
	if (db_migrate(run->db, tell, applied, err, sizeof(err)) != 0)
		return run_schema_failed(run, err);
	return 0;
}

int
command_migrate(struct run *run)
{
	struct applied applied = { .n = 0 };
	int code = migrate(run, &applied);

	if (code != 0)
		return code;
	if (run->json) {
		struct value *v = value_object(run->arena);

		value_set(v, "applied", applied.list);
		run_json(v);
	} else if (applied.n == 0) {
		run_say(run, "The schema is up to date; nothing was changed.");
	}
	return EXIT_DONE;
}

/* 0; else the exit code having said why not, with nothing left behind. */
static int
write_key(struct run *run, const char *path)
{
	struct str key = arena_printf(run->arena, "%s\n", secret_make_key(run->arena).p);
	struct str new = arena_printf(run->arena, "%s.new", path);
	int fd, failed = 0;

	(void)unlink(new.p);
	fd = open(new.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return run_fail(EXIT_FAILED, "%s: %s", new.p, strerror(errno));
	if (write(fd, key.p, key.n) != (ssize_t)key.n || fsync(fd) != 0)
		failed = errno;
	close(fd);
	/* link, not rename: a key that another init made meanwhile stays */
	if (failed == 0 && link(new.p, path) != 0 && errno != EEXIST)
		failed = errno;
	(void)unlink(new.p);
	return failed == 0 ? 0 : run_fail(EXIT_FAILED, "%s: %s", path, strerror(failed));
}

/* Makes the secret key where there is none; one that is there must be good for something. */
static int
make_secret(struct run *run, bool *made)
{
	const char *path = config_text(run->config, "SECRET_KEY_FILE");
	struct secret *secret;
	char err[512];

	*made = false;
	if (path[0] == '\0')
		return run_fail(EXIT_CONFIG,
		    "SECRET_KEY_FILE is not set: name a file for the key that form tokens are "
		    "made with, such as /etc/meridian/secret_key");
	if (access(path, F_OK) != 0) {
		*made = true;
		return write_key(run, path);
	}
	if ((secret = secret_load(run->config, err, sizeof(err))) == NULL)
		return run_fail(EXIT_CONFIG, "%s. %s", err, SECRET_MEND);
	secret_free(secret);
	return 0;
}

/* The same for the key of the vault, where a file is named. */
static int
make_vault(struct run *run, bool *made)
{
	const char *path = config_text(run->config, "VAULT_KEY_FILE");
	struct vault *vault;
	char err[512];

	*made = false;
	if (path[0] == '\0')
		return 0;
	if (access(path, F_OK) != 0) {
		*made = true;
		return write_key(run, path);
	}
	if ((vault = vault_load(run->config, err, sizeof(err))) == NULL)
		return run_fail(EXIT_CONFIG, "%s. %s", err, VAULT_MEND);
	vault_free(vault);
	return 0;
}

static int
make_site(struct run *run, bool *made)
{
	struct str name;
	struct site *sites;
	size_t n;
	int64_t id;
	enum db_result r = site_list(run->db, run->arena, &sites, &n);

	*made = false;
	if (r == DB_END && n == 0) {
		if (site_name_wrong(str_of(config_text(run->config, "TOM_NAME")), &name) != NULL)
			name = STR("localhost");
		r = site_add(run->db, STR("localhost"), name, &id);
		*made = r == DB_END;
	}
	return r == DB_END || r == DB_TAKEN ? 0 : run_db_failed(run, r);
}

/* --admin NAME: a superuser with a generated password, unless the name is in use. */
static int
make_admin(struct run *run, const char *name, struct str *password)
{
	struct account account = { .username = str_of(name),
		.first_name = STR(""),
		.last_name = STR(""),
		.email = STR(""),
		.affiliation = STR(""),
		.is_staff = true,
		.is_superuser = true };
	struct user_problems why = { 0 };
	int64_t id;

	*password = password_generate(run->arena);
	switch (user_add(run->db, run->arena, run->config, &account, *password, &id, &why)) {
	case USER_DONE:
		return 0;
	case USER_TAKEN:
		*password = STR_NONE;
		return 0;
	case USER_WRONG:
		return run_fail(EXIT_FAILED, "%s", why.n > 0 ? why.why[0].p : "the name is wrong");
	case USER_BUSY:
		return run_fail(EXIT_FAILED, "the password could not be hashed now; try again");
	case USER_UNKNOWN:
	case USER_LAST:
	case USER_REFUSED:
	case USER_CHANGED:
	case USER_FAILED:
		break;
	}
	return run_fail(EXIT_FAILED, "the database failed: %s", db_error(run->db));
}

int
command_init(struct run *run)
{
	const char *admin = run_option(run, "admin");
	struct applied applied = { .n = 0 };
	struct str password = STR_NONE;
	bool made_secret, made_vault, made_site;
	int code = make_secret(run, &made_secret);

	if (code != 0)
		return code;
	if (made_secret)
		run_say(run, "made the secret key %s", config_text(run->config, "SECRET_KEY_FILE"));
	if ((code = make_vault(run, &made_vault)) != 0)
		return code;
	if (made_vault)
		run_say(run, "made the vault's key %s", config_text(run->config, "VAULT_KEY_FILE"));
	if ((code = migrate(run, &applied)) != 0 || (code = make_site(run, &made_site)) != 0)
		return code;
	if (made_site)
		run_say(run, "made the site localhost; `meridian site set HOST` names it");
	if (admin != NULL && (code = make_admin(run, admin, &password)) != 0)
		return code;
	if (run->json) {
		struct value *v = value_object(run->arena);

		value_set_bool(v, "secret_made", made_secret);
		value_set_bool(v, "vault_made", made_vault);
		value_set(v, "applied", applied.list);
		value_set_bool(v, "site_made", made_site);
		value_set_text(v, "password", password);
		run_json(v);
	} else if (password.p != NULL) {
		printf("USER %s\nPASSWORD %s\n", admin, password.p);
	} else if (!made_secret && !made_vault && applied.n == 0 && !made_site) {
		run_say(run, "All is there already; nothing was changed.");
	}
	return EXIT_DONE;
}

int
command_seed(struct run *run)
{
	const char *name = run_option(run, "user");
	struct account account = { .id = 0 };
	struct target_seeded done = { 0 };
	int64_t principals[3];
	struct user user;
	enum db_result r;

	if (name != NULL && user_find(run->db, run->arena, str_of(name), &account) != USER_DONE)
		return run_fail(EXIT_FAILED, "there is no user \"%s\"", name);
	/* whoever may run this may see everything */
	principals[0] = PRINCIPAL_ANYONE;
	principals[1] = PRINCIPAL_SIGNED_IN;
	principals[2] = PRINCIPAL_USER(account.id);
	user = (struct user){ .id = account.id,
		.username = account.username,
		.is_superuser = true,
		.nprincipals = account.id != 0 ? 3 : 2,
		.principals = principals };
	r = target_seed_messier(run->db, run->arena, &user, &done);
	if (r != DB_END)
		return run_db_failed(run, r);
	if (run->json) {
		struct value *v = value_object(run->arena);

		value_set_int(v, "added", (int64_t)done.added);
		value_set_int(v, "present", (int64_t)done.present);
		run_json(v);
	} else {
		run_say(run, "Messier catalogue: %zu target%s added, %zu %s there.", done.added,
		    done.added == 1 ? "" : "s", done.present, done.present == 1 ? "was" : "were");
	}
	return EXIT_DONE;
}
