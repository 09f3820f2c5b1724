/*
 * admin-sites: the Sites table: which hosts this TOM answers to and what it is called.
 *
 *	GET  /admin/				what there is to administer
 *	GET  /admin/sites/site/			the list of sites
 *	GET  /admin/sites/site/add/		the form of a new one
 *	POST /admin/sites/site/add/		adds it, then to the list
 *	GET  /admin/sites/site/<id>/change/	the form of one
 *	POST /admin/sites/site/<id>/change/	changes it, then to the list
 *	GET  /admin/sites/site/<id>/delete/	asks
 *	POST /admin/sites/site/<id>/delete/	deletes it, then to the list
 *
 * Staff look; superusers change. The links of mail are made of the site in use, those to another password
 * too: who could name another host there would be sent the next link of a superuser.
 *
 * The table is asked at every request, so a change counts at once and in every executable. Someone
 * who renames the host they are at is told the new address instead of being sent back to one that
 * is refused from then on.
 */
#include <string.h>

#include "auth/auth.h"
#include "auth/event.h"
#include "config.h"
#include "http/form.h"
#include "tom/registration.h"
#include "tom/site.h"

#define LIST "/admin/sites/site/"
#define FORM_MAX KIB(16)

static int show_index(struct request *, struct response *);
static int show_list(struct request *, struct response *);
static int show_add(struct request *, struct response *);
static int add_site(struct request *, struct response *);
static int show_change(struct request *, struct response *);
static int change_site(struct request *, struct response *);
static int show_delete(struct request *, struct response *);
static int remove_site(struct request *, struct response *);

static const struct route routes[] = {
	ROUTE(GET, "/admin/", STAFF, NO_BODY, show_index),
	ROUTE(GET, LIST, STAFF, NO_BODY, show_list),
	ROUTE(GET, LIST "add/", SUPERUSER, NO_BODY, show_add),
	ROUTE(POST, LIST "add/", SUPERUSER, FORM_MAX, add_site),
	ROUTE(GET, LIST "<id>/change/", SUPERUSER, NO_BODY, show_change),
	ROUTE(POST, LIST "<id>/change/", SUPERUSER, FORM_MAX, change_site),
	ROUTE(GET, LIST "<id>/delete/", SUPERUSER, NO_BODY, show_delete),
	ROUTE(POST, LIST "<id>/delete/", SUPERUSER, FORM_MAX, remove_site),
};

enum { DOMAIN, NAME, NFIELDS };

static const struct field fields[NFIELDS] = {
	[DOMAIN] = { .name = "domain",
	    .type = FIELD_TEXT,
	    .required = true,
	    .max = 1024,
	    .label = "Host name",
	    .placeholder = "tom.example.org",
	    .help = "Without https:// and without a path. A port only where no other may be "
	            "answered; without one any port is." },
	[NAME] = { .name = "name",
	    .type = FIELD_TEXT,
	    .required = true,
	    .max = SITE_NAME_MAX,
	    .label = "Shown as",
	    .help = "What people call this site, for the list of sites." },
};

static int64_t
site_in_use(const struct request *r)
{
	return config_int(r->app->config, "SITE_ID");
}

/* -- the pages that show -- */

static int
show_index(struct request *r, struct response *s)
{
	struct value *page = value_object(r->arena);
	struct site *sites;
	size_t n;
	enum db_result done = site_list(r->app->db, r->arena, &sites, &n);

	if (done != DB_END)
		return auth_db_failed(r, s, done);
	value_set_cstr(page, "title", "Admin");
	value_set_int(page, "sites", (int64_t)n);
	value_set_bool(page, "one_site", n == 1);
	value_set_cstr(page, "version", PACKAGE_VERSION);
	value_set_bool(
	    page, "registers", registration_strategy(r->app->config) != REGISTRATION_NONE);
	value_set_cstr(page, "strategy", config_text(r->app->config, "AUTH_STRATEGY"));
	value_set_cstr(
	    page, "permission", config_text(r->app->config, "TARGET_DEFAULT_PERMISSION"));
	value_set_cstr(page, "engine", db_engine_name(r->app->db));
	return respond_page(r, s, 200, "admin", page);
}

static int
show_list(struct request *r, struct response *s)
{
	struct value *page = value_object(r->arena), *list = value_set_list(page, "sites");
	bool known = false;
	struct site *sites;
	size_t n;
	enum db_result done = site_list(r->app->db, r->arena, &sites, &n);

	if (done != DB_END)
		return auth_db_failed(r, s, done);
	for (size_t i = 0; i < n; i++) {
		struct value *v = value_add_object(list);
		bool here = site_domain_answers(sites[i].domain, r->host);

		known = known || here;
		value_set_int(v, "id", sites[i].id);
		value_set_text(v, "domain", sites[i].domain);
		value_set_text(v, "readable", site_domain_shown(r->arena, sites[i].domain));
		value_set_text(v, "shown", sites[i].name);
		value_set_bool(v, "in_use", sites[i].id == site_in_use(r));
		value_set_bool(v, "here", here);
		value_set_bool(v, "deletable", n > 1 && sites[i].id != site_in_use(r));
	}
	value_set_cstr(page, "title", "Sites");
	value_set_int(page, "site_id", site_in_use(r));
	value_set_text(page, "allowed_host", known ? STR_NONE : r->host);
	return respond_page(r, s, 200, "admin-sites", page);
}

/* The form of a site: a new one where it has no id. */
static int
show_form(struct request *r, struct response *s, int status, const struct site *site,
    const struct input *in)
{
	struct value *page = value_object(r->arena);

	form_show(page, fields, in, NFIELDS, r->arena);
	value_set_bool(page, "is_new", site->id == 0);
	value_set_int(page, "id", site->id);
	value_set_text(page, "domain", site->domain);
	value_set_bool(page, "here", site->id != 0 && site_domain_answers(site->domain, r->host));
	value_set_text(page, "title",
	    site->id == 0 ? STR("Add a site")
	                  : arena_printf(r->arena, "Change %.*s", STR_ARG(site->domain)));
	return respond_page(r, s, status, "admin-site", page);
}

static int
show_add(struct request *r, struct response *s)
{
	struct input in[NFIELDS] = { { .state = ABSENT }, { .state = ABSENT } };

	form_fill(&in[NAME], str_of(config_text(r->app->config, "TOM_NAME")));
	return show_form(r, s, 200, &(struct site){ .id = 0 }, in);
}

/* The site the path names. True, or false with the response filled. */
static bool
find_site(struct request *r, struct response *s, struct site *site)
{
	enum db_result found = site_get(r->app->db, r->arena, r->id[0], site);

	if (found == DB_END)
		respond_error(r, s, 404, "There is no such site; it may have been deleted.");
	else if (found != DB_ROW)
		auth_db_failed(r, s, found);
	return found == DB_ROW;
}

static int
show_change(struct request *r, struct response *s)
{
	struct input in[NFIELDS];
	struct site site;

	if (!find_site(r, s, &site))
		return 0;
	form_fill(&in[DOMAIN], site.domain);
	form_fill(&in[NAME], site.name);
	return show_form(r, s, 200, &site, in);
}

/* -- those that write -- */

/* Reads the form into `to`; how many fields are wrong. What was typed stays in `in`. */
static size_t
read_form(struct request *r, struct input *in, struct site *to)
{
	const char *wrong;

	form_read(&r->post, fields, NFIELDS, in, r->arena);
	if (in[DOMAIN].state == VALID) {
		wrong = site_domain_wrong(r->arena, in[DOMAIN].text, &to->domain);
		if (wrong != NULL)
			form_wrong(&in[DOMAIN], str_of(wrong));
	}
	to->name = in[NAME].text;
	return form_count_wrong(in, NFIELDS);
}

static void
note(struct request *r, const char *done, struct str domain)
{
	event_note(r,
	    (struct event){ .kind = EVENT_SITE_CHANGED,
	        .detail = arena_printf(r->arena, "%s %.*s", done, STR_ARG(domain)) });
}

static int
domain_taken(struct request *r, struct response *s, const struct site *before,
    const struct site *wanted, struct input *in)
{
	form_wrong(&in[DOMAIN],
	    arena_printf(r->arena,
	        "Another site has the host name %.*s already; change that one, or give another "
	        "name.",
	        STR_ARG(wanted->domain)));
	return show_form(r, s, 400, before, in);
}

/* "http://tom.example.org:8080": where a site is found, on the port of this request. */
static struct str
address_of(struct request *r, const struct site *site)
{
	size_t name = site->domain.n;
	struct str port = STR("");

	if (r->host.n > 0 && memrchr(r->host.p, ':', r->host.n) != NULL &&
	    r->host.p[r->host.n - 1] != ']')
		port = str_of(strrchr(r->host.p, ':'));
	if (name > 0 && site->domain.p[name - 1] != ']' &&
	    memchr(site->domain.p, ':', name) != NULL)
		port = STR("");
	return arena_printf(r->arena, "%.*s://%.*s%.*s%s" LIST, STR_ARG(r->scheme),
	    STR_ARG(site->domain), STR_ARG(port), r->app->prefix.p);
}

/* Where to go on: the site that was changed (its id, or 0), else the one in use, else any. */
static const struct site *
next_site(struct request *r, const struct site *sites, size_t n, int64_t changed)
{
	const struct site *next = n > 0 ? &sites[0] : NULL;

	for (size_t i = 0; i < n; i++) {
		if (site_domain_answers(sites[i].domain, r->host))
			return NULL;
		if (sites[i].id == changed ||
		    (sites[i].id == site_in_use(r) && next->id != changed))
			next = &sites[i];
	}
	return next;
}

/*
 * Back to the list with a message; but where the table does not answer this request's host any
 * more, a page that says where the list is now.
 */
static int
back_to_list(struct request *r, struct response *s, int64_t changed, struct str message)
{
	const struct site *next = NULL;
	struct value *page;
	struct site *sites;
	size_t n;

	if (!host_allowed(r->app->config, r->host) &&
	    site_list(r->app->db, r->arena, &sites, &n) == DB_END)
		next = next_site(r, sites, n, changed);
	if (next == NULL) {
		respond_message(r, s, "ok", message);
		return respond_redirect(r, s, STR(LIST));
	}
	page = value_object(r->arena);
	value_set_cstr(page, "title", "Saved");
	value_set_text(page, "message", message);
	value_set_text(page, "host", r->host);
	value_set_text(page, "address", address_of(r, next));
	return respond_page(r, s, 200, "admin-site-moved", page);
}

static int
add_site(struct request *r, struct response *s)
{
	struct site site = { .id = 0 };
	struct input in[NFIELDS];
	enum db_result done;

	if (read_form(r, in, &site) > 0)
		return show_form(r, s, 400, &(struct site){ .id = 0 }, in);
	done = site_add(r->app->db, site.domain, site.name, &site.id);
	if (done == DB_TAKEN)
		return domain_taken(r, s, &(struct site){ .id = 0 }, &site, in);
	if (done != DB_END)
		return auth_db_failed(r, s, done);
	note(r, "added", site.domain);
	return back_to_list(r, s, site.id,
	    arena_printf(
	        r->arena, "Added %.*s. It is answered from now on.", STR_ARG(site.domain)));
}

static int
change_site(struct request *r, struct response *s)
{
	struct site before, after = { .id = 0 };
	struct input in[NFIELDS];
	enum db_result done;

	if (!find_site(r, s, &before))
		return 0;
	after.id = before.id;
	if (read_form(r, in, &after) > 0)
		return show_form(r, s, 400, &before, in);
	done = site_change(r->app->db, &after);
	if (done == DB_TAKEN)
		return domain_taken(r, s, &before, &after, in);
	if (done == DB_END)
		return respond_error(r, s, 404, "There is no such site; it was just deleted.");
	if (done != DB_ROW)
		return auth_db_failed(r, s, done);
	note(r, arena_printf(r->arena, "changed %.*s to", STR_ARG(before.domain)).p, after.domain);
	return back_to_list(
	    r, s, after.id, arena_printf(r->arena, "Saved %.*s.", STR_ARG(after.domain)));
}

/* The page that asks, or says why not. */
static int
ask_delete(struct request *r, struct response *s, int status, const struct site *site, bool last)
{
	struct value *page = value_object(r->arena);
	bool in_use = site->id == site_in_use(r);

	value_set_text(page, "title", arena_printf(r->arena, "Delete %.*s", STR_ARG(site->domain)));
	value_set_int(page, "id", site->id);
	value_set_text(page, "domain", site->domain);
	value_set_text(page, "shown", site->name);
	value_set_bool(page, "in_use", in_use);
	value_set_bool(page, "last", last && !in_use);
	value_set_bool(page, "refused", in_use || last);
	value_set_bool(page, "here", site_domain_answers(site->domain, r->host));
	return respond_page(r, s, status, "admin-site-delete", page);
}

static int
show_delete(struct request *r, struct response *s)
{
	struct site site, *sites;
	enum db_result done;
	bool refused;
	size_t n;

	if (!find_site(r, s, &site))
		return 0;
	done = site_list(r->app->db, r->arena, &sites, &n);
	if (done != DB_END)
		return auth_db_failed(r, s, done);
	refused = n < 2 || site.id == site_in_use(r);
	return ask_delete(r, s, refused ? 409 : 200, &site, n < 2);
}

static int
remove_site(struct request *r, struct response *s)
{
	enum db_result done;
	struct site site;

	if (!find_site(r, s, &site))
		return 0;
	done = site_delete(r->app->db, site.id, site_in_use(r));
	if (done == DB_REFUSED)
		return ask_delete(r, s, 409, &site, true);
	if (done != DB_ROW && done != DB_END)
		return auth_db_failed(r, s, done);
	note(r, "deleted", site.domain);
	return back_to_list(r, s, 0,
	    arena_printf(
	        r->arena, "Deleted %.*s. It is not answered any more.", STR_ARG(site.domain)));
}

int
main(int argc, char **argv)
{
	return app_main(argc, argv,
	    &(struct app){ .name = "admin-sites",
	        .what = "the hosts this TOM answers to, for staff and superusers",
	        .routes = routes,
	        .nroutes = NELEM(routes),
	        .hooks = &auth_hooks });
}
