/*
 * mpc: the page of what became of objects: whatever it holds, names that are fit to be ours come of it.
 */
#include <stdlib.h>

#include "alert/mpc.h"
#include "tom/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a = arena_new();
	struct mpc_fate *list;
	size_t count;
	char err[200] = "";

	if (!mpc_read(a, (struct str){ (const char *)data, n }, &list, &count, err, sizeof(err))) {
		if (err[0] == '\0' || count != 0)
			abort();
	}
	for (size_t i = 0; i < count; i++)
		if (target_name_wrong(list[i].name, a) != NULL ||
		    list[i].name.n > MPC_DESIGNATION_MAX ||
		    (list[i].end == MPC_CONFIRMED) != (list[i].designation.p != NULL) ||
		    (list[i].designation.p != NULL &&
		        target_name_wrong(list[i].designation, a) != NULL))
			abort();
	arena_free(a);
	return 0;
}
