/*
 * replay: a driver for fuzz targets without libFuzzer. Runs the target once on each file named, and
 * on each file of a folder named, so that a corpus and the inputs that once broke something are
 * tested by every compiler. Ends with 0 when all were run; the target itself aborts on a failure,
 * and the file then stands last on standard error.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LONGEST ((size_t)16 << 20) /* bytes of an input */

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static int
run_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *bytes;
	size_t n;

	if (f == NULL) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	bytes = malloc(LONGEST);
	if (bytes == NULL) {
		fclose(f);
		fprintf(stderr, "replay: out of memory\n");
		return -1;
	}
	n = fread(bytes, 1, LONGEST, f);
	fclose(f);
	fprintf(stderr, "%s\n", path);
	/* A copy of exactly this length, so that reading past its end is seen. */
	uint8_t *exact = malloc(n > 0 ? n : 1);
	if (exact != NULL) {
		memcpy(exact, bytes, n);
		LLVMFuzzerTestOneInput(exact, n);
	}
	free(exact);
	free(bytes);
	return exact == NULL ? -1 : 0;
}

static int
run(const char *path)
{
	struct stat st;
	struct dirent *e;
	DIR *d;
	int rc = 0;

	if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
		return run_file(path);
	d = opendir(path);
	if (d == NULL) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	while (rc == 0 && (e = readdir(d)) != NULL) {
		char child[4096];
		int n = snprintf(child, sizeof(child), "%s/%s", path, e->d_name);

		if (e->d_name[0] == '.' || n < 0 || (size_t)n >= sizeof(child))
			continue;
		rc = run(child);
	}
	closedir(d);
	return rc;
}

int
main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: %s FILE|FOLDER...\n", argv[0]);
		return 2;
	}
	for (int i = 1; i < argc; i++)
		if (run(argv[i]) != 0)
			return 1;
	return 0;
}
