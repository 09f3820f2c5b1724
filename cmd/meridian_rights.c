/*
 * meridian rights fill: rights on the measurements that are there already, for a site that is to have
 * TARGET_PERMISSIONS_ONLY = no.
 */
#include "meridian.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "auth/event.h"
#include "base/clock.h"
#include "tom/group.h"
#include "tom/rights.h"
#include "tom/target.h"

/* OPEN, PUBLIC or PRIVATE; -1: none of them. */
static int
permissions_of(const char *word)
{
	static const char *const words[] = {
		[TARGET_OPEN] = "OPEN", [TARGET_PUBLIC] = "PUBLIC", [TARGET_PRIVATE] = "PRIVATE"
	};

	for (size_t i = 0; i < NELEM(words); i++)
		if (strcasecmp(words[i], word) == 0)
			return (int)i;
	return -1;
}

/* Who gets rights: the options as the wish has them. EXIT_DONE, or why not. */
static int
read_wish(struct run *run, struct rights_fill *wish)
{
	const char *word = run_option(run, "permissions");
	int64_t *groups = arena_array(run->arena, OPTIONS_MAX, sizeof(*groups));

	if (word == NULL)
		word = config_text(run->config, "TARGET_DEFAULT_PERMISSION");
	if ((wish->permissions = permissions_of(word)) < 0)
		return run_fail(
		    EXIT_USAGE, "--permissions is OPEN, PUBLIC or PRIVATE, not \"%s\"", word);
	for (size_t i = 0; i < run->noptions; i++) {
		struct group g;

		if (strcmp(run->options[i].name, "group") != 0)
			continue;
		switch (group_find(run->db, run->arena, str_of(run->options[i].value), &g)) {
		case GROUP_DONE:
			groups[wish->ngroups++] = g.id;
			break;
		case GROUP_FAILED:
			return run_db_failed(run, DB_FAILED);
		default:
			return run_fail(
			    EXIT_FAILED, "there is no group \"%s\"", run->options[i].value);
		}
	}
	wish->groups = groups;
	if (wish->permissions == TARGET_PRIVATE && wish->ngroups == 0)
		return run_fail(EXIT_USAGE,
		    "nobody would get rights: say --permissions OPEN or PUBLIC, or --group NAME");
	return EXIT_DONE;
}

/* Once a second, for who waits at a terminal. */
static void
show_progress(const struct run *run, const struct rights_fill *wish, int64_t *shown)
{
	int64_t now = clock_monotonic();

	if (run->json || !isatty(STDERR_FILENO) || now - *shown < SECOND)
		return;
	*shown = now;
	fprintf(stderr, "\r%lld targets looked at, %lld sources given ", (long long)wish->ntargets,
	    (long long)wish->ngiven);
}

int
command_rights_fill(struct run *run)
{
	struct rights_fill wish = { .after = 0 };
	int64_t began = clock_monotonic(), shown = began;
	int code = read_wish(run, &wish);
	enum db_result r = DB_ROW;

	if (code != EXIT_DONE)
		return code;
	while (r == DB_ROW) {
		struct arena *batch = arena_new();

		r = rights_fill_data(run->db, batch, &wish);
		arena_free(batch);
		show_progress(run, &wish, &shown);
	}
	if (shown != began)
		fputc('\n', stderr);
	if (wish.ngiven > 0)
		event_note_command(run->db, clock_now(),
		    (struct event){ .kind = EVENT_RIGHTS_CHANGED,
		        .detail = arena_printf(run->arena,
		            "rights on measurements of %lld sources of targets, by meridian rights "
		            "fill",
		            (long long)wish.ngiven) });
	if (r != DB_END)
		return run_db_failed(run, r);
	if (run->json) {
		struct value *v = value_object(run->arena);

		value_set_int(v, "targets", wish.ntargets);
		value_set_int(v, "given", wish.ngiven);
		run_json(v);
	}
	run_say(run, "targets looked at: %lld, sources given: %lld", (long long)wish.ntargets,
	    (long long)wish.ngiven);
	return EXIT_DONE;
}
