/*
 * home: the first page, what this is, and the answer for every path that nobody else serves.
 *
 *	GET  /			the newest targets, or what to do first on an empty site
 *	GET  /about/		what this is, its version and licence, whom to ask
 */
#include "auth/auth.h"
#include "base/clock.h"
#include "base/number.h"
#include "config.h"
#include "tom/place.h"
#include "tom/site.h"
#include "tom/skymap.h"
#include "tom/target_list.h"

static int show_home(struct request *, struct response *);
static int show_about(struct request *, struct response *);

static const struct route routes[] = {
	ROUTE(GET, "/", READER, NO_BODY, show_home),
	ROUTE(GET, "/about/", ANYONE, NO_BODY, show_about),
};

static void
show_targets(struct value *page, const struct target_page *found, int64_t now, struct arena *a)
{
	struct skymap_point *sky = arena_array(a, found->n, sizeof(*sky));
	static const char *const sight[] = { "open", "public", "private" };
	static const char *const words[] = { "OPEN", "PUBLIC", "PRIVATE" };
	struct value *list = value_set_list(page, "targets");

	for (size_t i = 0; i < found->n; i++) {
		const struct target_row *row = &found->rows[i];
		const struct target *t = &row->target;
		struct value *v = value_add_object(list);

		value_set_int(v, "id", t->id);
		value_set_text(v, "name", t->name);
		value_set_text(v, "aliases", row->aliases);
		value_set_cstr(v, "type", t->type == TARGET_SIDEREAL ? "Sidereal" : "Non-sidereal");
		value_set_text(v, "position", place_text(a, t->ra, t->dec));
		value_set_cstr(v, "sight", sight[t->permissions]);
		value_set_cstr(v, "permissions", words[t->permissions]);
		value_set_text(v, "created", clock_minute(a, t->created));
		sky[i] = (struct skymap_point){ t->id, t->name, t->ra, t->dec };
	}
	if (found->n > 0)
		skymap_show(page, sky, found->n, now, a);
}

static struct str
count_text(struct arena *a, int64_t count)
{
	if (count > TARGET_COUNT_MAX)
		return arena_printf(a, "More than %s targets", number_count(a, TARGET_COUNT_MAX).p);
	return arena_printf(a, "%s target%s", number_count(a, count).p, count == 1 ? "" : "s");
}

/* A name that nobody but this machine knows: what a new site is called. */
static bool
is_local(struct str domain)
{
	static const char *const local[] = { "localhost", "127.0.0.1", "[::1]", "example.com" };

	for (size_t i = 0; i < NELEM(local); i++)
		if (site_domain_answers(str_of(local[i]), domain))
			return true;
	return false;
}

/* The steps from an empty site to the first light curve, and which of them are done. */
static enum db_result
show_steps(struct request *r, struct value *page)
{
	struct db *db = r->app->db;
	struct query *q = db_query(db, QUERY_HOME_STATE);
	struct site site = { .domain = STR_NONE };
	int64_t people = 0;
	bool any = false;
	enum db_result done;

	while (db_step(q) == DB_ROW) {
		people = db_col_int(q, "people");
		any = db_col_bool(q, "any_target");
	}
	done = db_done(q);
	if (done != DB_END)
		return done;
	done = site_get(db, r->arena, config_int(r->app->config, "SITE_ID"), &site);
	if (done != DB_END && done != DB_ROW)
		return done;
	value_set_bool(page, "any_target", any);
	value_set_bool(page, "site_named", site.domain.p != NULL && !is_local(site.domain));
	value_set_text(page, "site_domain", site.domain);
	if (site.domain.p != NULL)
		value_set_int(page, "site_id", site.id);
	value_set_bool(page, "many_people", people > 1);
	return DB_END;
}

static int
show_home(struct request *r, struct response *s)
{
	struct value *page = value_object(r->arena);
	struct target_page found;
	enum db_result done = target_newest(r->app->db, r->arena, auth_user(r), &found);

	if (done == DB_END && found.n == 0 && r->user != NULL)
		done = show_steps(r, page);
	if (done != DB_END)
		return auth_db_failed(r, s, done);
	value_set_bool(page, "has_targets", found.n > 0);
	value_set_text(page, "count_text", count_text(r->arena, found.count));
	show_targets(page, &found, r->now, r->arena);
	return respond_page(r, s, 200, "home", page);
}

static int
show_about(struct request *r, struct response *s)
{
	struct value *page = value_object(r->arena);

	value_set_cstr(page, "title", "About");
	value_set_cstr(page, "version", PACKAGE_VERSION);
	value_set_cstr(page, "contact", config_text(r->app->config, "CONTACT"));
	value_set_bool(
	    page, "locked", str_is(str_of(config_text(r->app->config, "AUTH_STRATEGY")), "LOCKED"));
	return respond_page(r, s, 200, "about", page);
}

int
main(int argc, char **argv)
{
	return app_main(argc, argv,
	    &(struct app){ .name = "home",
	        .what = "the first page, and what nobody else serves",
	        .routes = routes,
	        .nroutes = NELEM(routes),
	        .hooks = &auth_hooks,
	        .fallback = true });
}
