/*
 * files: walking directories.
 */
#include "cmd/files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_DEPTH 64

static void
add(struct files *f, const char *path, const struct stat *st, bool named)
{
	struct file *file;

	if (f->n == f->room) {
		struct file *list = arena_array(
		    f->arena, f->room == 0 ? 64 : 2 * f->room, sizeof(*list));

		if (f->n > 0)
			memcpy(list, f->list, f->n * sizeof(*list));
		f->room = f->room == 0 ? 64 : 2 * f->room;
		f->list = list;
	}
	file = &f->list[f->n++];
	file->path = arena_strdup(f->arena, path);
	file->size = st != NULL && S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0;
	file->named = named;
	f->bytes += file->size;
}

static void
complain(struct files *f, const char *path, const char *why)
{
	f->unseen++;
	f->complain(path, why);
}

static int
is_entry(const struct dirent *e)
{
	return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

static int
by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void
walk(struct files *f, const char *dir)
{
	struct dirent **entries;
	int n = f->depth >= MAX_DEPTH ? -1 : scandir(dir, &entries, is_entry, by_bytes);

	if (n < 0) {
		complain(f, dir,
		    f->depth >= MAX_DEPTH ? "directories nested too deep" : strerror(errno));
		return;
	}
	f->depth++;
	for (int i = 0; i < n; i++) {
		size_t slash = strlen(dir) > 0 && dir[strlen(dir) - 1] == '/';
		struct str path = arena_printf(
		    f->arena, "%s%s%s", dir, slash ? "" : "/", entries[i]->d_name);
		bool hidden = entries[i]->d_name[0] == '.';
		struct stat st;

		free(entries[i]);
		if (hidden)
			f->passed_over++;
		else if (lstat(path.p, &st) != 0)
			complain(f, path.p, strerror(errno));
		else if (S_ISDIR(st.st_mode))
			walk(f, path.p);
		else if (S_ISREG(st.st_mode) ||
		    (S_ISLNK(st.st_mode) && stat(path.p, &st) == 0 && S_ISREG(st.st_mode)))
			add(f, path.p, &st, false);
		else
			f->passed_over++;
	}
	f->depth--;
	free(entries);
}

bool
files_add(struct files *f, const char *path)
{
	struct stat st;

	if (strcmp(path, "-") == 0)
		add(f, path, NULL, true);
	else if (stat(path, &st) != 0)
		return false;
	else if (S_ISDIR(st.st_mode))
		walk(f, path);
	else
		add(f, path, &st, true);
	return true;
}
