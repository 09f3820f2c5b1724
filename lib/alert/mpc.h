/*
 * mpc.h: what became of the objects that have left the NEO Confirmation Page, from the MPC's page
 * "Previous NEO Confirmation Page Objects" (https://www.minorplanetcenter.net/iau/NEO/ToConfirm_PrevDes.html):
 *
 *	<li> 2026 MH<sub>1</sub> = P12nxW2 (June 21.34 UT)   [see <a href="..."><i>MPEC</i> 2026-M57</a>]
 *	<li> Comet C/2026 A1 = C1FFEF5 (June 21.43 UT)
 *	<li> P12nxW3 was not confirmed (June 21.02 UT)
 *	<li> P12nxW4 does not exist (June 20.91 UT)
 *
 * The newest stands first. No document of the MPC tells the format: this is how its lines look, and
 * what clients of it read.
 */
#ifndef MERIDIAN_MPC_H
#define MERIDIAN_MPC_H

#include "base/arena.h"

#define MPC_FATES_MAX 20000 /* lines; the page has some 2,000 */
#define MPC_DESIGNATION_MAX 60 /* bytes */

enum mpc_end {
	MPC_CONFIRMED, /* it is what `designation` names, new or known */
	MPC_UNCONFIRMED, /* "was not confirmed" */
	MPC_NONEXISTENT, /* "does not exist" */
	MPC_ARTIFICIAL, /* "was suspected artificial" */
	MPC_NO_MINOR_PLANET /* "was not a minor planet" */
};

struct mpc_fate {
	struct str name; /* the temporary designation */
	enum mpc_end end;
	struct str designation; /* MPC_CONFIRMED: "2026 MH1", "C/2026 A1"; else absent */
};

/*
 * Reads the page: the lines that are understood, the newest first; others are passed over. Texts live
 * in the arena. False with a sentence in err where it is not that page, or was cut off.
 */
bool
mpc_read(struct arena *, struct str page, struct mpc_fate **, size_t *n, char *err, size_t errsize);

/* What scout_object.state says of it: "confirmed", "unconfirmed", ... */
const char *mpc_end_word(enum mpc_end);

#endif
