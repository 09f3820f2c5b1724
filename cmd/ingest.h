/*
 * ingest.h: the commands of meridian-ingest beside `file`. Each takes the arguments from its own name on
 * and returns the exit status (see meridian-ingest.c).
 */
#ifndef MERIDIAN_CMD_INGEST_H
#define MERIDIAN_CMD_INGEST_H

int ingest_run(int argc, char **argv);
int ingest_check(int argc, char **argv);
int ingest_status(int argc, char **argv);
int ingest_replay(int argc, char **argv);

enum {
	INGEST_DONE = 0,
	INGEST_FAILED = 1, /* the database */
	INGEST_USAGE = 2,
	INGEST_REJECTED = 3, /* done, but not all */
	INGEST_MISCONFIGURED = 78 /* EX_CONFIG: configuration or schema */
};

#endif
