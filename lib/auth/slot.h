/*
 * slot.h: turns for work of which the whole machine may do only so much at once.
 *
 * A turn is a lock on one byte of a file that all processes share. The kernel gives it back when
 * its holder is gone, however it went: nothing leaks after kill -9 and nothing has to be counted.
 */
#ifndef MERIDIAN_SLOT_H
#define MERIDIAN_SLOT_H

#include "base/base.h"
#include "base/sandbox.h"

enum slot_answer { SLOT_MINE, SLOT_BUSY };

/*
 * Takes one of `slots` turns of the file dir/name, waiting up to wait_ms. SLOT_MINE: *fd is the
 * turn and ends with slot_release. SLOT_BUSY: others had all of them all the time. A directory that
 * cannot be used is warned about once; from then on only this process limits itself (it computes
 * one at a time), and *fd is -1.
 */
enum slot_answer
slot_take(const char *dir, const char *name, unsigned slots, int64_t wait_ms, int *fd) MUST_CHECK;
void slot_release(int fd);

/*
 * What turns of that file need in a sandbox: the file, which is made here where it is not there yet,
 * and nothing else of the directory. Who removes it takes the turns from those who run.
 */
void slot_needs(struct sandbox *, const char *dir, const char *name);

#endif
