/*
 * meridian site list, add, set: the host names this TOM answers to.
 */
#include "meridian.h"

#include <stdio.h>
#include <string.h>

#include "auth/event.h"
#include "base/clock.h"
#include "tom/site.h"

static void
describe(struct value *v, const struct site *site)
{
	value_set_int(v, "id", site->id);
	value_set_text(v, "domain", site->domain);
	value_set_text(v, "name", site->name);
}

int
command_site_list(struct run *run)
{
	struct value *list = value_list(run->arena);
	int64_t in_use = config_int(run->config, "SITE_ID");
	struct site *sites;
	size_t n;
	enum db_result r = site_list(run->db, run->arena, &sites, &n);

	if (r != DB_END)
		return run_db_failed(run, r);
	for (size_t i = 0; i < n; i++) {
		struct value *v = value_add_object(list);

		describe(v, &sites[i]);
		value_set_bool(v, "in_use", sites[i].id == in_use);
		run_say(run, "%4lld  %-30.*s %.*s%s", (long long)sites[i].id,
		    STR_ARG(sites[i].domain), STR_ARG(sites[i].name),
		    sites[i].id == in_use ? "  (in use: SITE_ID)" : "");
	}
	if (run->json)
		run_json(list);
	return EXIT_DONE;
}

static int
report(struct run *run, const struct site *site, const char *done)
{
	event_note_command(run->db, clock_now(),
	    (struct event){ .kind = EVENT_SITE_CHANGED,
	        .detail = arena_printf(
	            run->arena, "%s by meridian site: %.*s", done, STR_ARG(site->domain)) });
	if (run->json) {
		struct value *v = value_object(run->arena);

		describe(v, site);
		run_json(v);
	} else {
		run_say(
		    run, "%s site %lld: %.*s", done, (long long)site->id, STR_ARG(site->domain));
	}
	return EXIT_DONE;
}

static int
failed(struct run *run, const struct site *site, enum db_result r)
{
	if (r == DB_TAKEN)
		return run_fail(EXIT_FAILED, "another site is %s already", site->domain.p);
	return run_db_failed(run, r);
}

int
command_site_add(struct run *run)
{
	const char *name = run_option(run, "name"), *wrong;
	struct site site = { .id = 0 };
	enum db_result r;

	wrong = site_domain_wrong(run->arena, str_of(run->args[0]), &site.domain);
	if (wrong != NULL)
		return run_fail(EXIT_USAGE, "%s: %s", run->args[0], wrong);
	wrong = site_name_wrong(
	    str_of(name != NULL ? name : config_text(run->config, "TOM_NAME")), &site.name);
	if (wrong != NULL)
		return run_fail(EXIT_USAGE, "%s: %s", name != NULL ? "--name" : "TOM_NAME", wrong);
	r = site_add(run->db, site.domain, site.name, &site.id);
	return r == DB_END ? report(run, &site, "added") : failed(run, &site, r);
}

int
command_site_set(struct run *run)
{
	const char *name = run_option(run, "name"), *number = run_option(run, "id"), *wrong;
	int64_t id = config_int(run->config, "SITE_ID");
	struct site site;
	enum db_result r;

	if (number != NULL && (!str_to_int64(str_of(number), &id) || id < 1))
		return run_fail(EXIT_USAGE, "--id is the number of a site, not \"%s\"", number);
	r = site_get(run->db, run->arena, id, &site);
	if (r == DB_END)
		return run_fail(EXIT_FAILED,
		    "there is no site %lld; `meridian site list` shows all", (long long)id);
	if (r != DB_ROW)
		return run_db_failed(run, r);
	wrong = site_domain_wrong(run->arena, str_of(run->args[0]), &site.domain);
	if (wrong != NULL)
		return run_fail(EXIT_USAGE, "%s: %s", run->args[0], wrong);
	wrong = name != NULL ? site_name_wrong(str_of(name), &site.name) : NULL;
	if (wrong != NULL)
		return run_fail(EXIT_USAGE, "--name: %s", wrong);
	r = site_change(run->db, &site);
	return r == DB_ROW ? report(run, &site, "changed") : failed(run, &site, r);
}
