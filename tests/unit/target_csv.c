/*
 * target_csv: what is exported comes back the same; a bad line is named and keeps nothing but
 * itself out, or everything where all or nothing was asked; nobody gives or gets what is not theirs.
 */
#include "unit.h"

#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memory.h"
#include "people.h"
#include "engines.h"
#include "scratch.h"

#include "tom/target_bulk.h"
#include "tom/target_csv.h"

static struct db *db;
static struct arena *a;

static int
set_up(void **state)
{
	(void)state;
	a = arena_new();
	db = scratch_open();
	return db_transaction(db, DB_WRITE, add_people, NULL) == DB_END ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	arena_free(a);
	scratch_close();
	return 0;
}

static int
file_of(struct str text)
{
	int fd = memfd_create("csv", MFD_CLOEXEC);

	assert_true(fd >= 0 && write(fd, text.p, text.n) == (ssize_t)text.n);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static struct csv_report
import_text(const struct user *u, struct str text, const struct csv_options *o)
{
	int fd = file_of(text);
	struct csv_report report;

	assert_int_equal(target_import(db, a, u, fd, o, &report), DB_END);
	close(fd);
	return report;
}

static const struct csv_options rows = { .permissions = TARGET_PRIVATE };
static const struct csv_options whole = { .permissions = TARGET_PRIVATE, .all_or_nothing = true };

#define IMPORT(u, text, o) import_text(u, STR(text), o)

static int
append(void *arg, const void *p, size_t n)
{
	buf_put(arg, p, n);
	return 0;
}

static struct str
export_text(const struct user *u, struct target_query q)
{
	struct buf b = { 0 };
	struct str s;

	assert_int_equal(target_export(db, u, &q, append, &b), DB_END);
	s = arena_copy(a, b.p, b.n);
	buf_free(&b);
	return s;
}

/* The target of that name, whole; fails where it is not there. */
static struct target_whole
get(const struct user *u, const char *name)
{
	struct target_whole w;
	int64_t id;

	if (target_find_named(db, a, u, str_of(name), &id) != DB_ROW)
		fail_msg("%s is not there", name);
	assert_int_equal(target_load(db, a, u, id, WITH_ALL, &w), DB_ROW);
	return w;
}

static bool
is_there(const char *name)
{
	int64_t id;

	return target_find_named(db, a, &root, str_of(name), &id) == DB_ROW;
}

static void
assert_problem(
    const struct csv_report *r, size_t i, int64_t line, const char *column, const char *part)
{
	assert_true(i < r->nproblems);
	assert_int_equal(r->problems[i].line, line);
	assert_str(r->problems[i].column, column);
	if (strstr(r->problems[i].why.p, part) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", r->problems[i].why.p, part);
}

static void
every_kind_of_column_is_read(void **state)
{
	struct csv_report r = IMPORT(&bob,
	    "\xef\xbb\xbf"
	    "name,Name2,type,RA,dec,groups,redshift,pm_ra,permissions,created,id,name3\r\n"
	    "NGC 1,\"One, first\",SIDEREAL,12:00:00,-20 30 00,\"other, follow-up\",0.5,-1.5,PUBLIC,"
	    "2020-01-02T03:04:05Z,77,\r\n"
	    "\r\n"
	    "Two,,,10,20,,'=1+1,,,,,Deux\r\n"
	    ",,,,,,,,,,,\r\n",
	    &rows);
	struct target_whole w;

	(void)state;
	assert_int_equal(r.nproblems, 0);
	assert_int_equal(r.rows, 2);
	assert_int_equal(r.added, 2);
	w = get(&bob, "NGC 1");
	assert_true(w.target.ra == 180 && w.target.dec == -20.5 && w.target.pm_ra == -1.5);
	assert_int_equal(w.target.permissions, TARGET_PUBLIC);
	assert_true(w.target.created == INT64_C(1577934245000000));
	assert_int_equal(w.naliases, 1);
	assert_str(w.aliases[0].name, "One, first");
	assert_int_equal(w.ngroups, 2);
	assert_int_equal(w.nextras, 1);
	assert_str(w.extras[0].key, "redshift");
	assert_str(w.creator, "bob");
	assert_true(w.may_change && w.target.id != 77);
	assert_true(get(&alice, "NGC 1").may_change);
	assert_false(get(&carol, "NGC 1").may_change);
	w = get(&bob, "deux");
	assert_str(w.extras[0].value, "=1+1");
	assert_int_equal(w.target.permissions, TARGET_PRIVATE);
	assert_int_equal(w.ngroups, 0);
}

#define MIXED \
	"name,type,ra,dec,name2,groups,epoch_of_elements\n" \
	"Good,SIDEREAL,1,2,,,\n" \
	"No position,SIDEREAL,,,,,\n" \
	"Bad angle,SIDEREAL,25h,2,,,\n" \
	"\"Over\nlines\",STAR,1,2,,,\n" \
	"good,,3,4,,,\n" \
	"Clash,,3,4,GOOD,,\n" \
	"Group,,3,4,,nobody,\n" \
	"Own,,3,4,o-w-n,,\n" \
	"Long,,1,2,,,,9,9\n" \
	"Fine,,5,6,Fein,,\n"

static void
each_bad_line_is_named(void **state)
{
	struct csv_report r = IMPORT(&alice, MIXED, &rows);

	(void)state;
	assert_int_equal(r.rows, 10);
	assert_int_equal(r.added, 2);
	assert_int_equal(r.bad, 8);
	assert_false(r.undone || r.cut);
	assert_problem(&r, 0, 3, "ra", "required");
	assert_problem(&r, 1, 3, "dec", "required");
	assert_problem(&r, 2, 4, "ra", "0 to 24 hours");
	assert_problem(&r, 3, 5, "type", "must be one of");
	assert_problem(&r, 4, 5, "name", "control");
	assert_problem(&r, 5, 7, "name", "stands in line 2 already");
	assert_problem(&r, 6, 8, "aliases", "stands in line 2 already");
	assert_problem(&r, 7, 9, "groups", "There is no group \"nobody\" of yours");
	assert_problem(&r, 8, 10, "aliases", "must be different");
	assert_problem(&r, 9, 11, "", "The row has 9 cells, the header 7");
	assert_int_equal(r.nproblems, 10);
	assert_true(
	    is_there("Good") && is_there("Fein") && !is_there("Clash") && !is_there("Group"));
	/* again: all names are in use now */
	r = IMPORT(&alice, "name,ra,dec\nGOOD,1,2\n", &rows);
	assert_problem(&r, 0, 2, "name", "A Target matching GOOD already exists. (Good)");
	r = IMPORT(&carol, "name,ra,dec\nGOOD,1,2\n", &rows);
	assert_problem(&r, 0, 2, "name", "is already in use");
}

static void
a_cell_is_complained_of_once_by_its_columns_name(void **state)
{
	struct csv_report r = import_text(&alice,
	    STR("name,RA,dec,Created,note,note 2,epoch,permissions\n"
	        "A\0B,1,2,,,\n"
	        "\xff,1,2,,,\n"
	        "C,noon,100,2999-01-01T00:00:00Z,,x\x00y,2000,OPEN\n"
	        ",,1,,,\n"),
	    &rows);

	(void)state;
	assert_problem(&r, 0, 2, "name", "no UTF-8");
	assert_problem(&r, 1, 3, "name", "no UTF-8");
	assert_problem(&r, 2, 4, "RA", "Write degrees");
	assert_problem(&r, 3, 4, "dec", "-90 to 90");
	assert_problem(&r, 4, 4, "Created", "future");
	assert_problem(&r, 5, 4, "note 2", "no UTF-8");
	assert_problem(&r, 6, 5, "name", "required");
	assert_problem(&r, 7, 5, "RA", "required");
	assert_int_equal(r.nproblems, 8);
}

static void
a_wrong_extra_is_told_by_its_column(void **state)
{
	struct buf b = { 0 };

	(void)state;
	buf_puts(&b, "name,ra,dec,first,second,third\nA,1,2,,x,");
	for (int i = 0; i < 10001; i++)
		buf_putc(&b, 'y');
	struct csv_report r = import_text(&alice, buf_text(&b), &rows);
	assert_problem(&r, 0, 2, "third", "10,000");
	assert_int_equal(r.nproblems, 1);
	buf_free(&b);
}

static void
all_or_nothing_keeps_nothing(void **state)
{
	struct csv_report r = IMPORT(&alice, MIXED, &whole);

	(void)state;
	assert_true(r.undone);
	assert_int_equal(r.added, 0);
	assert_int_equal(r.nproblems, 10);
	assert_false(is_there("Good"));
	r = IMPORT(&alice, "name,ra,dec\nGood,1,2\nFine,3,4\n", &whole);
	assert_false(r.undone);
	assert_int_equal(r.added, 2);
	assert_true(is_there("Good") && is_there("Fine"));
}

static void
a_wrong_header_stops_it(void **state)
{
	static const struct {
		const char *text, *column, *why;
	} bad[] = {
		{ "ra,dec\n1,2\n", "name", "no column \"name\"" },
		{ "name;ra;dec\nx;1;2\n", "", "semicolons" },
		{ "name,ra,RA\nx,1,2\n", "RA", "twice" },
		{ "name,z,z\nx,1,2\n", "z", "twice" },
		{ "name,name2,name2\nx,1,2\n", "name2", "twice" },
		{ "name,a\xff\nx,1\n", "", "UTF-8" },
		{ "", "", "empty" },
		{ "\n\n", "", "empty" },
		{ "name,ra,dec\n", "", "No row follows" },
		{ "name,ra,dec\n,,\n\n", "", "No row follows" },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(bad); i++)
		for (int mode = 0; mode < 2; mode++) {
			struct csv_report r = import_text(
			    &alice, str_of(bad[i].text), mode ? &whole : &rows);

			assert_int_equal(r.added, 0);
			assert_int_equal(r.rows, 0);
			assert_problem(&r, 0, r.problems[0].line, bad[i].column, bad[i].why);
		}
}

static void
a_stray_quote_costs_no_more_than_its_row(void **state)
{
	struct csv_report r = IMPORT(
	    &alice, "name,ra,dec,note\nA,1,2,ok\nB,1,2,5\" off\n\"C\"x,1,2,\nD,1,2,\n", &rows);

	(void)state;
	assert_false(r.cut);
	assert_int_equal(r.rows, 4);
	assert_int_equal(r.added, 3);
	assert_int_equal(r.bad, 1);
	assert_problem(&r, 0, 4, "", "quote");
	assert_str(get(&alice, "B").extras[0].value, "5\" off");
	assert_true(is_there("A") && is_there("D"));
	r = IMPORT(&alice, "name,ra,dec\nE,1,2\n\"F\"x,1,2\nG,1,2\n", &whole);
	assert_true(r.undone && r.rows == 3 && !is_there("E"));
	r = IMPORT(&alice, "\"name\"x,ra,dec\nE,1,2\n", &rows);
	assert_problem(&r, 0, 1, "", "quote");
	assert_int_equal(r.nproblems, 1);
}

static void
a_quote_that_is_never_closed_ends_the_reading(void **state)
{
	struct csv_report r = IMPORT(&alice, "name,ra,dec\nD,1,2\nE,\"1,2\n", &whole);

	(void)state;
	assert_true(r.undone && r.cut && !is_there("D"));
	assert_problem(&r, 0, 3, "", "not closed");
}

static void
people_give_only_their_own_groups(void **state)
{
	struct csv_report r = IMPORT(&alice, "name,ra,dec,groups\nX,1,2,other\n", &rows);

	(void)state;
	assert_problem(&r, 0, 2, "groups", "no group \"other\" of yours");
	r = IMPORT(&root, "name,ra,dec,groups\nX,1,2,other\n", &rows);
	assert_int_equal(r.added, 1);
	assert_int_equal(get(&root, "X").ngroups, 1);
	r = IMPORT(&root, "name,ra,dec,groups\nY,1,2,none\n", &rows);
	assert_int_equal(r.added, 0);
}

/* What target_import() says of groups that the options give to every row. */
static enum db_result
import_with_group(const struct user *u, int64_t group, bool all_or_nothing)
{
	const int64_t groups[] = { group };
	struct csv_options o = { .permissions = TARGET_PRIVATE,
		.all_or_nothing = all_or_nothing,
		.groups = groups,
		.ngroups = 1 };
	struct csv_report report;
	int fd = file_of(STR("name,ra,dec\nGiven,1,2\n"));
	enum db_result r = target_import(db, a, u, fd, &o, &report);

	close(fd);
	if (r == DB_REFUSED)
		assert_problem(&report, 0, 0, "groups", u->is_superuser ? "no longer" : "member");
	return r;
}

static void
nobody_gives_every_row_to_a_group_of_others(void **state)
{
	/* the principal of the last ones would be another's, or no number */
	static const int64_t theirs[] = { 2, 4242, INT64_C(1) << 60, INT64_MAX, 0, -1 };

	(void)state;
	for (int mode = 0; mode < 2; mode++)
		for (size_t i = 0; i < NELEM(theirs); i++) {
			assert_int_equal(import_with_group(&alice, theirs[i], mode), DB_REFUSED);
			assert_int_equal(import_with_group(&carol, theirs[i], mode), DB_REFUSED);
			if (theirs[i] != 2)
				assert_int_equal(
				    import_with_group(&root, theirs[i], mode), DB_REFUSED);
			assert_false(is_there("Given"));
		}
	assert_int_equal(import_with_group(&root, 2, true), DB_END);
	assert_int_equal(get(&bob, "Given").ngroups, 1);
}

/* What the database refuses is neither a bad row nor somebody's group. */
static void
a_refusal_of_the_databases_is_no_report(void **state)
{
	static const struct csv_options *const both[] = { &rows, &whole };
	struct csv_report report;
	sqlite3 *own;
	char file[150];

	(void)state;
	if (db_engine(db) != DB_SQLITE)
		skip();
	snprintf(file, sizeof(file), "%s/test.db", scratch_dir);
	assert_int_equal(sqlite3_open(file, &own), SQLITE_OK);
	assert_int_equal(sqlite3_exec(own,
	                     "CREATE TRIGGER refuse BEFORE INSERT ON target "
	                     "BEGIN SELECT RAISE(ABORT, 'no'); END",
	                     NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(own);
	for (size_t i = 0; i < NELEM(both); i++) {
		int fd = file_of(STR("name,ra,dec\nBad,noon,2\nGood,1,2\n"));

		assert_int_equal(target_import(db, a, &alice, fd, both[i], &report), DB_REFUSED);
		assert_false(report.groups_refused);
		assert_false(report.undone);
		assert_int_equal(report.added, 0);
		close(fd);
	}
}

static void
options_hold_for_every_row(void **state)
{
	const int64_t groups[] = { 1 };
	struct csv_options o = {
		.permissions = TARGET_OPEN, .groups = groups, .ngroups = 1, .type = TARGET_SIDEREAL
	};
	struct target_whole w;

	(void)state;
	assert_int_equal(target_list_named(db, STR("Mine"), &o.list), DB_END);
	IMPORT(&alice, "name,ra,dec,groups,permissions\nP,1,2,follow-up,\nQ,1,2,,PRIVATE\n", &o);
	w = get(&visitor, "P");
	assert_int_equal(w.target.permissions, TARGET_OPEN);
	assert_int_equal(w.nlists, 1);
	assert_int_equal(w.ngroups, 1);
	w = get(&bob, "Q");
	assert_int_equal(w.target.permissions, TARGET_PRIVATE);
}

static void
what_is_exported_comes_back_the_same(void **state)
{
	struct target_query q = { .descending = true };
	struct str first, again;

	(void)state;
	IMPORT(&alice,
	    "name,type,ra,dec,scheme,epoch_of_elements,mean_anomaly,arg_of_perihelion,eccentricity,"
	    "lng_asc_node,inclination,semimajor_axis,name2,name3,note,z,created\n"
	    "\"=cmd|' /C calc'!A0\",,1.1,2.2,,,,,,,,,\"a \"\"b\"\"\",+plus,\"two\nlines, "
	    "'x\",-0.5,\n"
	    "'quoted,,0.1,-89.999999999,,,,,,,,,,,''@x,1e-300,2001-02-03T04:05:06.789Z\n"
	    "Apophis,NON_SIDEREAL,,,MPC_MINOR_PLANET,60000.5,0,126.4,0.19,204.4,3.3,0.92,"
	    "(99942),2004 MN4,,,\n",
	    &rows);
	first = export_text(&alice, q);
	assert_non_null(strstr(first.p, "'=cmd|' /C calc'!A0"));
	assert_non_null(strstr(first.p, ",\"two\nlines, 'x\",-0.5,"));
	assert_non_null(strstr(first.p, "'+plus"));
	assert_non_null(strstr(first.p, ",-89.999999999,"));
	assert_true(str_starts(first, "name,type,created,modified,permissions,ra,dec,epoch,"));
	assert_non_null(strstr(first.p, ",slope,note,z,name2,name3\r\n"));
	/* away with them, and back */
	struct target_page page;
	assert_int_equal(target_find(db, a, &alice, &q, &page), DB_END);
	assert_int_equal(page.n, 3);
	for (size_t i = 0; i < page.n; i++)
		assert_int_equal(target_delete(db, &alice, page.rows[i].target.id, false), DB_END);
	assert_int_equal(export_text(&alice, q).n,
	    strlen("name,type,created,modified,permissions,"
	           "ra,dec,epoch,parallax,pm_ra,pm_dec,galactic_lng,galactic_lat,distance,distance_"
	           "err,scheme,"
	           "epoch_of_elements,mean_anomaly,arg_of_perihelion,eccentricity,lng_asc_node,"
	           "inclination,"
	           "mean_daily_motion,semimajor_axis,epoch_of_perihelion,ephemeris_period,"
	           "ephemeris_period_err,ephemeris_epoch,ephemeris_epoch_err,perihdist,abs_mag,"
	           "slope\r\n"));
	struct csv_report r = import_text(&alice, first, &whole);
	for (size_t i = 0; i < r.nproblems; i++)
		print_error("%d %s %s\n", (int)r.problems[i].line, r.problems[i].column.p,
		    r.problems[i].why.p);
	assert_int_equal(r.added, 3);
	again = export_text(&alice, q);
	/* but for `modified`, which begins in the third column */
	assert_int_equal(again.n, first.n);
	struct target_whole w = get(&alice, "=cmd|' /C calc'!A0");
	assert_str(w.aliases[0].name, "a \"b\"");
	assert_str(w.aliases[1].name, "+plus");
	assert_str(w.extras[0].value, "two\nlines, 'x");
	assert_str(w.extras[1].value, "-0.5");
	assert_str(get(&alice, "'quoted").extras[0].value, "'@x");
}

static void
an_extra_is_not_called_as_a_column_is(void **state)
{
	static const char *const own[] = { "ra", "RA", "Dec", "Groups", "ID", "Modified",
		"Name_host", "NAMED", "Created" };

	(void)state;
	for (size_t i = 0; i < NELEM(own); i++) {
		struct target_extra e = { .key = str_of(own[i]), .value = STR("7") };
		struct target_draft d = { .target = target_none(), .extras = &e, .nextras = 1 };
		struct problems ps = { 0 };

		d.target.name = STR("own");
		d.target.ra = d.target.dec = 1;
		assert_int_equal(target_add(db, a, &alice, &d, &ps), DB_REFUSED);
		assert_non_null(strstr(problem_about(&ps, "extras")->why.p, "in capitals or not"));
	}
	assert_false(target_key_is_own(STR("host_name")) || target_key_is_own(STR("radius")));
}

static enum db_result
add_old(struct db *d, void *arg)
{
	struct target_new *t = arg;

	return target_bulk_add(d, a, t, 1);
}

static void
old_extras_called_as_columns_are_exported_so_that_they_come_back(void **state)
{
	static const struct target_extra extras[] = { { .key = STR("Groups"), .value = STR("one") },
		{ .key = STR("RA"), .value = STR("two") },
		{ .key = STR("field RA"), .value = STR("three") },
		{ .key = STR("plain"), .value = STR("four") } };
	const struct target_key key = { STR("Old"), STR("old") };
	struct target_new t = {
		.target = target_none(), .keys = &key, .nkeys = 1, .extras = extras, .nextras = 4
	};
	struct str text;

	(void)state;
	t.target.name = key.name;
	t.target.ra = t.target.dec = 1;
	t.target.created = t.target.modified = t.target.creator = 1;
	assert_int_equal(db_transaction(db, DB_WRITE, add_old, &t), DB_END);
	text = export_text(&alice, (struct target_query){ .descending = true });
	assert_non_null(strstr(text.p, ",field Groups,field field RA,field RA,plain\r\n"));
	assert_int_equal(target_delete(db, &alice, t.target.id, false), DB_END);
	struct csv_report r = import_text(&alice, text, &whole);
	assert_int_equal(r.nproblems, 0);
	assert_int_equal(r.added, 1);
	assert_int_equal(get(&alice, "Old").nextras, 4);
	assert_str(get(&alice, "Old").extras[2].value, "two");
}

static void
an_export_has_what_one_may_see(void **state)
{
	struct target_query all = { .descending = true }, some = { .name = STR("ope") };

	(void)state;
	IMPORT(&alice,
	    "name,ra,dec,permissions,secret\nopen1,1,2,OPEN,\npublic1,1,2,PUBLIC,\nprivate1,1,2,,"
	    "x\n",
	    &rows);
	struct str s = export_text(&visitor, all);
	assert_non_null(strstr(s.p, "open1"));
	assert_null(strstr(s.p, "public1"));
	assert_null(strstr(s.p, "secret")); /* nor what only others' targets have */
	assert_non_null(strstr(export_text(&carol, all).p, "public1"));
	assert_non_null(strstr(export_text(&alice, all).p, "private1"));
	s = export_text(&alice, some);
	assert_non_null(strstr(s.p, "open1"));
	assert_null(strstr(s.p, "private1"));
}

static int
refuse(void *arg, const void *p, size_t n)
{
	(void)arg;
	(void)p;
	(void)n;
	return -1;
}

static void
an_export_ends_when_the_reader_is_gone(void **state)
{
	struct target_query q = { .descending = true };
	struct buf b = { 0 };

	(void)state;
	assert_int_equal(target_export(db, &root, &q, refuse, NULL), DB_REFUSED);
	assert_int_equal(target_export(db, &root, &q, append, &b), DB_END);
	buf_free(&b);
}

static void
more_rows_than_a_batch_are_read(void **state)
{
	struct buf b = { 0 };
	unsigned statements;
	int64_t us;

	(void)state;
	buf_puts(&b, "name,ra,dec,name2\n");
	for (int i = 0; i < 1700; i++)
		buf_printf(&b, "t%d,%d,%s,alias %d\n", i, i % 360, i == 1200 ? "x" : "1", i);
	buf_puts(&b, "T_7,1,1,\n"); /* of a batch before */
	db_count_start(db);
	struct csv_report r = import_text(&alice, buf_text(&b), &rows);
	db_count(db, &statements, &us);
	assert_in_range(statements, 1, 16); /* of two batches; PostgreSQL has the most */
	assert_int_equal(r.rows, 1701);
	assert_int_equal(r.added, 1699);
	assert_problem(&r, 0, 1202, "dec", "degrees");
	assert_problem(&r, 1, 1702, "name", "A Target matching T_7 already exists. (t7)");
	struct str s = export_text(&alice, (struct target_query){ .descending = true });
	size_t lines = 0;
	for (size_t i = 0; i < s.n; i++)
		lines += s.p[i] == '\n';
	assert_int_equal(lines, 1700);
	buf_free(&b);
}

static void
names_of_groups_cost_a_bounded_number_of_statements(void **state)
{
	struct buf b = { 0 };
	unsigned statements;
	int64_t us;

	(void)state;
	buf_puts(&b, "name,ra,dec,groups\n");
	for (int i = 0; i < 300; i++)
		buf_printf(&b, "g%d,1,2,\"follow-up,none %d\"\n", i, i);
	buf_puts(&b, "all,1,2,\"");
	for (int i = 0; i < 101; i++)
		buf_puts(&b, "follow-up,");
	buf_puts(&b, "\"\nlong,1,2,");
	for (int i = 0; i < 30000; i++)
		buf_putc(&b, 'x');
	buf_puts(&b, "\nfine,1,2,follow-up\n");
	db_count_start(db);
	struct csv_report r = import_text(&alice, buf_text(&b), &rows);
	db_count(db, &statements, &us);
	assert_true(statements < 150);
	assert_int_equal(r.added, 1);
	assert_int_equal(r.bad, 302);
	/* two hundred are told, the first that is wrong of each row; the others are counted */
	assert_int_equal(r.nproblems, 200);
	assert_int_equal(r.untold, 102);
	assert_problem(&r, 0, 2, "groups", "no group \"none 0\" of yours");
	assert_problem(&r, 150, 152, "groups", "more than 100 groups");
	r = import_text(&alice, (struct str){ b.p, b.n }, &whole);
	assert_true(r.undone && r.untold == 103);
	buf_free(&b);
	r = IMPORT(&root, "name,ra,dec,groups\nM,1,2,\"other,follow-up\"\n", &rows);
	assert_int_equal(r.added, 1);
	assert_int_equal(get(&root, "M").ngroups, 2);
}

struct big {
	int nrows;
	bool all_or_nothing;
};

/* Imports so many long rows: names of groups nobody has, texts as long as may be, names too long. */
static bool
import_big(void *arg)
{
	const struct big *big = arg;
	const struct csv_options o = { .permissions = TARGET_PRIVATE,
		.all_or_nothing = big->all_or_nothing };
	int fd = memfd_create("csv", MFD_CLOEXEC);
	char err[300];
	struct db *own = db_new(scratch_config, err, sizeof(err));
	struct csv_report report;
	struct buf b = { 0 };

	buf_puts(&b, "name,ra,dec,groups,note\n");
	for (int i = 0; i < big->nrows; i++) {
		buf_printf(&b, "p%d", i);
		for (int k = 0; i % 3 == 1 && k < 5000; k++)
			buf_puts(&b, "too long ");
		buf_puts(&b, ",1,2,\"");
		for (int k = 0; i % 3 == 2 && k < 600; k++)
			buf_printf(&b, "nobody %d,", 600 * i + k);
		buf_puts(&b, "\",");
		for (int k = 0; i % 3 == 0 && k < 9990; k++)
			buf_putc(&b, 'x');
		buf_putc(&b, '\n');
		if (write(fd, b.p, b.n) != (ssize_t)b.n)
			return false;
		buf_clear(&b);
	}
	return lseek(fd, 0, SEEK_SET) == 0 &&
	    target_import(own, a, &alice, fd, &o, &report) == DB_END && report.rows == big->nrows;
}

static void
memory_does_not_grow_with_the_file(void **state)
{
	(void)state;
	for (int mode = 0; mode < 2; mode++) {
		long few = memory_peak(import_big, &(struct big){ 150, mode });
		long many = memory_peak(import_big, &(struct big){ 3000, mode });

		assert_true(few > 0 && many > 0);
		if (MEMORY_TELLS && many > few + 16 * 1024)
			fail_msg("%ld KiB more", many - few);
	}
}

int
main(void)
{
#define CLAIM(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CLAIM(every_kind_of_column_is_read),
		CLAIM(each_bad_line_is_named),
		CLAIM(a_cell_is_complained_of_once_by_its_columns_name),
		CLAIM(a_wrong_extra_is_told_by_its_column),
		CLAIM(all_or_nothing_keeps_nothing),
		CLAIM(a_wrong_header_stops_it),
		CLAIM(a_stray_quote_costs_no_more_than_its_row),
		CLAIM(a_quote_that_is_never_closed_ends_the_reading),
		CLAIM(people_give_only_their_own_groups),
		CLAIM(nobody_gives_every_row_to_a_group_of_others),
		CLAIM(a_refusal_of_the_databases_is_no_report),
		CLAIM(options_hold_for_every_row),
		CLAIM(what_is_exported_comes_back_the_same),
		CLAIM(an_extra_is_not_called_as_a_column_is),
		CLAIM(old_extras_called_as_columns_are_exported_so_that_they_come_back),
		CLAIM(an_export_has_what_one_may_see),
		CLAIM(an_export_ends_when_the_reader_is_gone),
		CLAIM(more_rows_than_a_batch_are_read),
		CLAIM(names_of_groups_cost_a_bounded_number_of_statements),
		CLAIM(memory_does_not_grow_with_the_file),
	};

	return engines_run("target_csv", tests, NELEM(tests), NULL, NULL);
}
