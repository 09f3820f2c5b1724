/*
 * stream_options: what the keys of a stream say of its packets.
 */
#include "cmd/stream_options.h"

#include <stdio.h>
#include <string.h>

#include "tom/group.h"

static int
choice(const char *const words[], size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(words[i], word) == 0)
			return (int)i;
	return 0;
}

static bool
find_groups(struct db *db, struct arena *a, const struct config_stream *c, struct ingest_options *o,
    char *err, size_t errsize)
{
	size_t n = 0;
	struct str name;
	int64_t *ids;

	while (config_stream_item(c, "group", n).p != NULL)
		n++;
	ids = arena_array(a, n + 1, sizeof(*ids));
	for (size_t i = 0; i < n; i++) {
		struct group g;
		enum group_result r;

		name = config_stream_item(c, "group", i);
		r = group_find(db, a, name, &g);
		if (r != GROUP_DONE) {
			snprintf(err, errsize, "stream %s: %s %.*s", config_stream_name(c),
			    r == GROUP_FAILED ? "the database does not tell the group"
			                      : "there is no group",
			    STR_ARG(name));
			return false;
		}
		ids[i] = g.id;
	}
	o->groups = ids;
	o->ngroups = n;
	return true;
}

bool
stream_options_read(struct db *db, struct arena *a, const struct config *config,
    const struct config_stream *c, struct ingest_options *o, struct ingest_cuts *cuts, char *err,
    size_t errsize)
{
	static const char *const creates[] = {
		[CREATE_ALL] = "all", [CREATE_MATCH] = "match", [CREATE_NEVER] = "never"
	};
	static const char *const permissions[] = {
		[TARGET_OPEN] = "OPEN", [TARGET_PUBLIC] = "PUBLIC", [TARGET_PRIVATE] = "PRIVATE"
	};
	const char *who = config_stream_text(c, "permissions");

	o->create = (enum create)choice(creates, NELEM(creates), config_stream_text(c, "create"));
	o->permissions = choice(permissions, NELEM(permissions),
	    who[0] != '\0' ? who : config_text(config, "TARGET_DEFAULT_PERMISSION"));
	o->match_radius = config_stream_real(c, "match_radius");
	o->shares_data = !config_bool(config, "TARGET_PERMISSIONS_ONLY");
	o->packets = (size_t)config_stream_real(c, "batch_packets");
	o->stream = str_of(config_stream_name(c));
	*cuts = (struct ingest_cuts){
		.max_magnitude = config_stream_real(c, "max_magnitude"),
		.min_reliability = config_stream_real(c, "min_reliability"),
		.min_declination = config_stream_real(c, "min_declination"),
		.max_declination = config_stream_real(c, "max_declination"),
		.min_galactic_latitude = config_stream_real(c, "min_galactic_latitude"),
	};
	o->cuts = cuts;
	return find_groups(db, a, c, o, err, errsize);
}
