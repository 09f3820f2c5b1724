/*
 * meridian check, files: who can read secrets and the database: other users of this machine, the web
 * server, and who clones a git work tree.
 */
#include "check.h"

#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Keys that name a file with a secret. */
static const char *const secrets[] = { "SECRET_KEY_FILE", "VAULT_KEY_FILE",
	"DATABASE_PASSWORD_FILE", "MAIL_PASSWORD_FILE" };

/* The nearest folder above the file, named by its whole path, that is a git work tree; or absent. */
static struct str
work_tree_of(struct arena *a, const char *path)
{
	char *dir = arena_strdup(a, path);

	while (strcmp(dir, "/") != 0) {
		struct str git;

		dir = dirname(dir);
		git = arena_printf(a, "%s/.git", dir);
		if (access(git.p, F_OK) == 0)
			return str_of(dir);
	}
	return STR_NONE;
}

/* Runs git in a tree, without a shell; its exit status, or -1. *said: did it print anything? */
static int
ask_git(const char *tree, const char *const words[], bool *said)
{
	const char *argv[16] = { "git", "-c", "safe.directory=*", "-C", tree };
	int status, null, out[2];
	size_t n = 5;
	char byte;
	pid_t pid;

	while (n + 1 < NELEM(argv) && *words != NULL)
		argv[n++] = *words++;
	if (pipe(out) != 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		null = open("/dev/null", O_RDWR);
		if (null >= 0 && dup2(out[1], 1) >= 0 && dup2(null, 2) >= 0)
			execvp("git", (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	close(out[1]);
	*said = read(out[0], &byte, 1) == 1;
	close(out[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* 1 ignored, 0 not, -1 git cannot be asked. */
static int
git_ignores(const char *tree, const char *path)
{
	bool said;
	int status = ask_git(
	    tree, (const char *const[]){ "check-ignore", "-q", "--", path, NULL }, &said);

	return status == 0 ? 1 : status == 1 ? 0 : -1;
}

/* Does any commit have a file of that path, or had? */
static bool
git_has_had(const char *tree, const char *path)
{
	bool said = false;

	(void)ask_git(
	    tree, (const char *const[]){ "rev-list", "-n", "1", "--all", "--", path, NULL }, &said);
	return said;
}

/* What counts is where the file is, not the link or the relative path that leads to it. */
static void
check_git(struct findings *f, const char *what, const char *named)
{
	struct arena *a = f->run->arena;
	char *path = realpath(named, NULL);
	struct str tree = path != NULL ? work_tree_of(a, path) : STR_NONE;
	int ignored = tree.p != NULL ? git_ignores(tree.p, path) : 1;

	if (tree.p != NULL && git_has_had(tree.p, path))
		found(f, true,
		    arena_printf(
		        a, "%s %s was committed to the git work tree %s", what, path, tree.p),
		    "It is in every clone: make a new one (`meridian init` makes keys, after the "
		    "file is removed), and keep that elsewhere.");
	if (ignored == 0)
		found(f, true,
		    arena_printf(a, "%s %s lies in the git work tree %s, which does not ignore it",
		        what, path, tree.p),
		    "Move it out of the work tree, or name it in .gitignore before it is "
		    "committed.");
	else if (ignored < 0)
		found(f, false,
		    arena_printf(a,
		        "%s %s lies in the git work tree %s, and git could not be asked whether it "
		        "ignores it",
		        what, path, tree.p),
		    "Move it out of the work tree, or see to it that .gitignore names it.");
	free(path);
}

void
check_private(struct findings *f, const char *what, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && (st.st_mode & S_IRWXO) != 0)
		found(f, true,
		    arena_printf(f->run->arena,
		        "%s %s can be read or written by every user of this machine", what, path),
		    "chmod o-rwx, and see who owns it.");
}

/* A password between the user's name and the '@', or among the parameters. */
static bool
holds_password(const char *url)
{
	const char *rest = strstr(url, "://"), *at, *colon;

	if (strncmp(url, "sqlite:", 7) == 0 || rest == NULL)
		return false;
	rest += 3;
	at = memrchr(rest, '@', strcspn(rest, "/?"));
	colon = strchr(rest, ':');
	return (at != NULL && colon != NULL && colon < at) || strstr(rest, "?password=") != NULL ||
	    strstr(rest, "&password=") != NULL;
}

void
check_files(struct findings *f, bool deploy)
{
	const char *url = check_text(f, "DATABASE_URL");
	const char *conf = config_path(f->run->config);
	struct stat st;

	for (size_t i = 0; i < NELEM(secrets); i++)
		if (check_text(f, secrets[i])[0] != '\0') {
			check_git(f, secrets[i], check_text(f, secrets[i]));
			check_private(f, secrets[i], check_text(f, secrets[i]));
		}
	if (strncmp(url, "sqlite:", 7) == 0) {
		check_git(f, "the database", url + 7);
		if (deploy)
			check_private(f, "the database", url + 7);
	}
	if (conf[0] != '\0' && stat(conf, &st) == 0 && (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		found(f, true, arena_printf(f->run->arena, "%s can be written by others", conf),
		    "chmod go-w: who writes it says where secrets and templates are read from.");
	if (holds_password(url))
		found(f, true, STR("DATABASE_URL holds a password"),
		    "Put it into a file of mode 0600 and name that as DATABASE_PASSWORD_FILE.");
}

/* Is the file below the directory? */
static bool
is_below(const char *path, const char *directory)
{
	size_t n = strlen(directory);

	while (n > 0 && directory[n - 1] == '/')
		n--;
	return n > 0 && strncmp(path, directory, n) == 0 && path[n] == '/';
}

void
check_places(struct findings *f)
{
	struct arena *a = f->run->arena;
	const char *url = check_text(f, "DATABASE_URL"), *share = check_text(f, "SHARE_DIR");
	const char *file = strncmp(url, "sqlite:", 7) == 0 ? url + 7 : NULL;

	if (file != NULL && is_below(file, share))
		found(f, true, arena_printf(a, "the database lies in SHARE_DIR, %s", share),
		    "The web server reads there: move it to a directory of its own.");
	for (size_t i = 0; i < NELEM(secrets); i++) {
		const char *path = check_text(f, secrets[i]);

		if (is_below(path, share))
			found(f, true,
			    arena_printf(a, "%s lies in SHARE_DIR, %s", secrets[i], share),
			    "The web server reads there: move it elsewhere, such as "
			    "/etc/meridian.");
		else if (file != NULL && path[0] != '\0' &&
		    is_below(path, dirname(arena_strdup(a, file))))
			found(f, false, arena_printf(a, "%s lies beside the database", secrets[i]),
			    "Every executable reads and writes that directory: move it elsewhere, "
			    "such as /etc/meridian.");
	}
}
