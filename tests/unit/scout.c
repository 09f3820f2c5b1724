/*
 * scout: what Scout's API answers, field by field: numbers as numbers, text or null; what is not as
 * documented is told by its name and stops nothing else; other versions are not read at all.
 */
#include "unit.h"

#include <math.h>
#include <stdio.h>

#include "alert/mpc.h"
#include "alert/scout.h"
#include "base/clock.h"

/* The fields of a real object, as its reply had them. */
#define FIELDS \
	"\"objectName\":\"v17oct4\",\"lastRun\":\"2024-10-18 15:31\",\"tEphem\":\"2024-10-22 " \
	"20:15\"," \
	"\"ra\":\"16:54\",\"dec\":\"-19\",\"H\":\"18.7\",\"moid\":\"0.1\",\"rating\":null," \
	"\"neoScore\":100,\"phaScore\":20,\"neo1kmScore\":5,\"ieoScore\":47,\"geocentricScore\":" \
	"0," \
	"\"tisserandScore\":15,\"unc\":\"59\",\"uncP1\":\"76\",\"rate\":\"2.2\",\"rmsN\":\"0." \
	"00\"," \
	"\"Vmag\":\"20.5\",\"nObs\":2,\"arc\":\"0.06\",\"elong\":\"45\",\"caDist\":null,\"vInf\":" \
	"null"
#define SIGNATURE "\"signature\":{\"source\":\"NASA/JPL Scout API\",\"version\":\"1.3\"}"
#define ORBIT_FIELDS \
	"\"fields\":[\"idx\",\"epoch\",\"ec\",\"qr\",\"tp\",\"om\",\"w\",\"inc\",\"H\",\"dca\"," \
	"\"tca\"," \
	"\"moid\",\"vinf\",\"geoEcc\",\"impFlag\"]"
#define AN_ORBIT(number) \
	"[" number \
	",\"2460602.14\",\"4.5e-1\",\"0.9\",\"2460650.75\",\"-10.5\",\"200.25\",\"5.5\"," \
	"\"18.7\",null,null,\"0.1\",\"12.5\",1e99,0]"

static struct arena *arena;
static char err[400];

static int
set_up(void **state)
{
	(void)state;
	arena = arena_new();
	err[0] = '\0';
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

#define assert_says(text) \
	do { \
		if (strstr(err, (text)) == NULL) \
			fail_msg("\"%s\" does not say \"%s\"", err, (text)); \
	} while (0)

static enum scout_reply
read_list(const char *body, struct scout_list *list)
{
	return scout_read_list(arena, str_of(body), list, err, sizeof(err));
}

static void
real_object_is_read(void **state)
{
	struct scout_list list;
	const struct scout_object *o;
	int64_t t;

	(void)state;
	assert_int_equal(
	    read_list("{" SIGNATURE ",\"count\":\"1\",\"data\":[{" FIELDS "}]}", &list),
	    SCOUT_READ);
	assert_int_equal(list.n, 1);
	assert_null(list.rows[0].why.p);
	o = &list.rows[0].object;
	assert_str(o->name, "v17oct4");
	assert_true(clock_from_iso(STR("2024-10-18T15:31Z"), &t));
	assert_true(o->last_run == t);
	assert_true(clock_from_iso(STR("2024-10-22T20:15Z"), &t));
	assert_true(o->ephemeris == t);
	assert_true(o->ra == 253.5 && o->dec == -19);
	assert_true(o->abs_mag == 18.7 && o->moid == 0.1 && isnan(o->rating));
	assert_true(o->neo_score == 100 && o->pha_score == 20 && o->neo_1km_score == 5);
	assert_true(o->ieo_score == 47 && o->geocentric_score == 0 && o->tisserand_score == 15);
	assert_true(o->uncertainty == 59 && o->uncertainty_later == 76 && o->rate == 2.2);
	assert_true(o->rms == 0 && o->v_mag == 20.5 && o->observations == 2 && o->arc == 0.06);
	assert_true(o->elongation == 45 && isnan(o->close_approach) && isnan(o->v_inf));
}

/* An object of a list of one, with one field said anew at the end; absent `why`: it was read. */
static struct scout_row
with(const char *name, const char *value)
{
	static const char before[] = "{" SIGNATURE ",\"count\":1,\"data\":[{";
	struct scout_list list;
	char body[2000], key[60], fields[1500] = FIELDS, *at, *end;

	snprintf(key, sizeof(key), "\"%s\":", name);
	at = strstr(fields, key);
	assert_non_null(at);
	end = strchr(at, ',');
	memmove(at, end != NULL ? end + 1 : at + strlen(at), end != NULL ? strlen(end) : 1);
	snprintf(
	    body, sizeof(body), "%s%s%s%s%s}]}", before, key, value, fields[0] ? "," : "", fields);
	if (body[strlen(body) - 4] == ',')
		memmove(body + strlen(body) - 4, body + strlen(body) - 3, 4);
	assert_int_equal(read_list(body, &list), SCOUT_READ);
	return list.rows[0];
}

static void
number_is_text_or_number_or_null(void **state)
{
	(void)state;
	assert_true(with("unc", "59").object.uncertainty == 59);
	assert_true(with("unc", "\"59.5\"").object.uncertainty == 59.5);
	assert_true(with("unc", "5.95e1").object.uncertainty == 59.5);
	assert_true(with("unc", "\" 5.95E+1 \"").object.uncertainty == 59.5);
	assert_true(isnan(with("unc", "null").object.uncertainty));
	assert_true(isnan(with("unc", "\"\"").object.uncertainty));
	assert_true(with("neoScore", "\"99\"").object.neo_score == 99);
	assert_true(with("rating", "\"4\"").object.rating == 4);
	assert_true(with("caDist", "12").object.close_approach == 12);
	assert_true(with("H", "-1.5").object.abs_mag == -1.5);
}

static void
angle_is_of_hours_and_of_signed_degrees(void **state)
{
	(void)state;
	assert_true(with("ra", "\"00:00\"").object.ra == 0);
	assert_true(with("ra", "\"23:59\"").object.ra == 359.75);
	assert_true(with("ra", "\"24:00\"").object.ra == 0);
	assert_true(with("ra", "\"01:00:30\"").object.ra == 15.125);
	assert_true(with("dec", "\"+28\"").object.dec == 28);
	assert_true(with("dec", "\"-00:30\"").object.dec == -0.5);
	assert_true(with("dec", "-7").object.dec == -7);
	assert_true(isnan(with("ra", "null").object.ra));
	assert_non_null(with("ra", "\"-1:00\"").why.p);
	assert_non_null(with("ra", "\"24:01\"").why.p);
	assert_non_null(with("ra", "\"1:60\"").why.p);
	assert_non_null(with("ra", "\"1:-5\"").why.p);
	assert_non_null(with("ra", "\"1:2:3:4\"").why.p);
	assert_non_null(with("dec", "\"91\"").why.p);
	assert_non_null(with("dec", "\"--5\"").why.p);
}

static void
wrong_field_is_named_and_the_rest_of_the_list_is_read(void **state)
{
	static const char body[] =
	    "{" SIGNATURE ",\"count\":3,\"data\":["
	    "{\"objectName\":\"A1\",\"lastRun\":\"2026-11-01 10:00\"},"
	    "{\"objectName\":\"A2\",\"lastRun\":\"2026-11-01 10:00\",\"neoScore\":\"many\"},"
	    "{\"objectName\":\"A3\",\"lastRun\":\"2026-11-01 10:00\"}]}";
	struct scout_list list;
	struct scout_object o;

	(void)state;
	assert_int_equal(read_list(body, &list), SCOUT_READ);
	assert_int_equal(list.n, 3);
	assert_null(list.rows[0].why.p);
	assert_str(list.rows[1].why, "neoScore is not what it should be: many");
	assert_str(list.rows[1].object.name, "A2");
	assert_str(list.rows[2].object.name, "A3");
	assert_null(list.rows[2].why.p);
	/* its bytes say the same once more */
	assert_false(scout_read_row(arena, list.rows[1].bytes, &o, err, sizeof(err)));
	assert_says("neoScore");
	assert_str(with("rating", "5").why, "rating is not what it should be: 5");
	assert_str(with("neoScore", "101").why, "neoScore is not what it should be: 101");
	assert_str(with("neoScore", "50.5").why, "neoScore is not what it should be: 50.5");
	assert_str(with("unc", "-1").why, "unc is not what it should be: -1");
	assert_str(with("unc", "[1]").why, "unc is not what it should be: ?");
	assert_str(with("unc", "true").why, "unc is not what it should be: ?");
	assert_str(with("lastRun", "null").why, "lastRun is missing");
	assert_str(
	    with("lastRun", "\"yesterday\"").why, "lastRun is not what it should be: yesterday");
	assert_str(
	    with("objectName", "null").why, "objectName is not what it should be: there is none");
	assert_str(with("objectName", "\"a\\u0001b\"").object.name, "");
}

static void
other_reply_is_refused(void **state)
{
	struct scout_list list;

	(void)state;
	assert_int_equal(
	    read_list("{\"signature\":{\"version\":\"1.4\"},\"count\":0,\"data\":[]}", &list),
	    SCOUT_WRONG);
	assert_says("the API has version 1.4, and we know 1.3: nothing is stored");
	assert_int_equal(read_list("{\"count\":0,\"data\":[]}", &list), SCOUT_WRONG);
	assert_says("does not say the API's version");
	assert_int_equal(
	    read_list("{" SIGNATURE ",\"error\":\"specified object was not found\"}", &list),
	    SCOUT_REFUSED);
	assert_says("specified object was not found");
	assert_int_equal(
	    read_list("{" SIGNATURE ",\"count\":\"2\",\"data\":[{" FIELDS "}]}", &list),
	    SCOUT_WRONG);
	assert_says("says that it has 2 objects, and has 1");
	assert_int_equal(
	    read_list("{" SIGNATURE ",\"count\":\"1\",\"data\":[{" FIELDS, &list), SCOUT_WRONG);
	assert_says("cannot be read");
	assert_int_equal(read_list("<html>Bad gateway</html>", &list), SCOUT_WRONG);
	assert_int_equal(read_list("[]", &list), SCOUT_WRONG);
	assert_int_equal(read_list("{" SIGNATURE ",\"count\":1,\"data\":{}}", &list), SCOUT_WRONG);
	assert_int_equal(read_list("", &list), SCOUT_WRONG);
	assert_str(
	    scout_message(arena, STR("{\"message\":\"slow down\",\"code\":429}")), "slow down");
	assert_null(scout_message(arena, STR("Too many")).p);
}

static enum scout_reply
read_single(const char *body, struct scout_single *single)
{
	return scout_read_single(arena, str_of(body), STR("v17oct4"), single, err, sizeof(err));
}

static void
orbits_are_read_by_their_fields(void **state)
{
	struct scout_single s;

	(void)state;
	assert_int_equal(
	    read_single(
	        "{" SIGNATURE "," FIELDS ",\"orbits\":{\"count\":\"3\"," ORBIT_FIELDS
	        ",\"data\":[" AN_ORBIT("7") ",[8,\"2460602.14\",\"-1\"]," AN_ORBIT("9") "]}}",
	        &s),
	    SCOUT_READ);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.passed_over, 1);
	assert_int_equal(s.orbits[0].number, 7);
	assert_int_equal(s.orbits[1].number, 9);
	assert_true(fabs(s.orbits[0].epoch - 60601.64) < 1e-8);
	assert_true(fabs(s.orbits[0].perihelion_time - 60650.25) < 1e-8);
	assert_true(s.orbits[0].eccentricity == 0.45 && s.orbits[0].perihelion == 0.9);
	assert_true(s.orbits[0].node == -10.5 && s.orbits[0].peri == 200.25);
	assert_true(s.orbits[0].inclination == 5.5 && s.orbits[0].abs_mag == 18.7);
	/* in another order */
	assert_int_equal(
	    read_single(
	        "{" SIGNATURE "," FIELDS ",\"orbits\":{\"fields\":[\"inc\",\"w\",\"om\","
	        "\"tp\",\"qr\",\"ec\",\"epoch\"],\"data\":[[1,2,3,2460000.5,4,5,2460001.5]]}}",
	        &s),
	    SCOUT_READ);
	assert_int_equal(s.n, 1);
	assert_true(s.orbits[0].inclination == 1 && s.orbits[0].peri == 2 && s.orbits[0].node == 3);
	assert_true(s.orbits[0].perihelion_time == 60000 && s.orbits[0].epoch == 60001);
	assert_true(isnan(s.orbits[0].abs_mag));
	/* none */
	assert_int_equal(read_single("{" SIGNATURE "," FIELDS "}", &s), SCOUT_READ);
	assert_int_equal(s.n, 0);
	assert_int_equal(
	    read_single(
	        "{" SIGNATURE "," FIELDS ",\"orbits\":{\"fields\":[\"ec\"],\"data\":[]}}", &s),
	    SCOUT_FIELD);
	assert_says("the orbits have no field epoch");
	assert_int_equal(
	    read_single("{\"error\":\"specified object was not found\"}", &s), SCOUT_REFUSED);
	assert_int_equal(scout_read_single(arena, STR("{" SIGNATURE "," FIELDS "}"), STR("other"),
	                     &s, err, sizeof(err)),
	    SCOUT_WRONG);
	assert_says("the reply is of another object, v17oct4");
}

static const char page[] = "<html><head><title>x</title></head><body><ul><li>not this</ul>\n"
                           "<h2>Previous NEO Confirmation Page Objects</h2>\n<p>\n<ul>\n"
                           "<li> 2026 MH<sub>1</sub> = P12nxW2 (June 21.34 UT)   [see <a "
                           "href=\"/mpec/K26/K26M57.html\"><i>MPEC</i> "
                           "2026-M57</a>]\n"
                           "<li> Comet C/2026 A1 = C1FFEF5 (June 21.43 UT)\n"
                           "<li> Comet 2015 TQ209 = LM02L2J(Oct. 24.07 UT)\n"
                           "<li> P12nxW3 was not confirmed (June 21.02 UT)\n"
                           "<li> P12nxW4 does not exist (June 20.91 UT)\n"
                           "<li>A10&nbsp;was suspected artificial (June 20.5 UT)</li>\n"
                           "<li> A11 was not a minor\nplanet (June 20.4 UT)\n"
                           "<li> P12abc = P12abd (June 20.3 UT)\n"
                           "<li> A12 was eaten (June 20.4 UT)\n"
                           "<li> no date\n"
                           "</ul>\n<ul><li> X = Y (June 1 UT)</ul></body></html>";

static void
page_of_the_mpc_is_read(void **state)
{
	static const struct {
		const char *name, *word, *designation;
	} want[] = {
		{ "P12nxW2", "confirmed", "2026 MH1" },
		{ "C1FFEF5", "confirmed", "C/2026 A1" },
		{ "LM02L2J", "confirmed", "C/2015 TQ209" },
		{ "P12nxW3", "unconfirmed", NULL },
		{ "P12nxW4", "nonexistent", NULL },
		{ "A10", "artificial", NULL },
		{ "A11", "no-minor-planet", NULL },
		{ "P12abd", "confirmed", "P12abc" },
	};
	struct mpc_fate *list;
	size_t n;

	(void)state;
	assert_true(mpc_read(arena, str_of(page), &list, &n, err, sizeof(err)));
	assert_int_equal(n, NELEM(want));
	for (size_t i = 0; i < n; i++) {
		assert_str(list[i].name, want[i].name);
		assert_string_equal(mpc_end_word(list[i].end), want[i].word);
		if (want[i].designation == NULL)
			assert_null(list[i].designation.p);
		else
			assert_str(list[i].designation, want[i].designation);
	}
	assert_false(mpc_read(arena, STR("<html>Moved</html>"), &list, &n, err, sizeof(err)));
	assert_says("it is not the page");
	assert_false(
	    mpc_read(arena, (struct str){ page, sizeof(page) - 200 }, &list, &n, err, sizeof(err)));
	assert_says("cut off");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_object_is_read),
		cmocka_unit_test(number_is_text_or_number_or_null),
		cmocka_unit_test(angle_is_of_hours_and_of_signed_degrees),
		cmocka_unit_test(wrong_field_is_named_and_the_rest_of_the_list_is_read),
		cmocka_unit_test(other_reply_is_refused),
		cmocka_unit_test(orbits_are_read_by_their_fields),
		cmocka_unit_test(page_of_the_mpc_is_read),
	};

	return cmocka_run_group_tests_name("scout", tests, set_up, tear_down);
}
