/*
 * meridian check, settings: values that are each allowed, and do not work together or are unsafe.
 */
#include "check.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>
#include <unistd.h>

#include "base/sandbox.h"
#include "http/proxy.h"
#include "tom/mail.h"
#include "tom/registration.h"

void
check_mail(struct findings *f, bool deploy)
{
	struct config *c = f->run->config;
	bool reset = config_bool(c, "TOM_PASSWORD_RESET_ENABLED");
	const char *wrong = mail_settings_wrong(c), *url = check_text(f, "MAIL_SMTP_URL");

	if (wrong != NULL)
		found(f, true, str_of(wrong), "meridian.conf(5) shows what mail needs.");
	if (mail_is_on(c) && (wrong = registration_settings_wrong(c)) != NULL)
		found(f, true, str_of(wrong), "login does not start before this is mended.");
	if (!mail_is_on(c) && (reset || registration_strategy(c) != REGISTRATION_NONE))
		found(f, true,
		    arena_printf(f->run->arena, "%s needs mail, and MAIL_TRANSPORT is none",
		        reset ? "TOM_PASSWORD_RESET_ENABLED" : "TOM_REGISTRATION_STRATEGY"),
		    "Set MAIL_TRANSPORT to sendmail or smtp, and start `meridian mail send "
		    "--watch`.");
	if (strcmp(check_text(f, "MAIL_TRANSPORT"), "sendmail") == 0 &&
	    access(check_text(f, "SENDMAIL_PATH"), X_OK) != 0)
		found(f, true,
		    arena_printf(f->run->arena, "SENDMAIL_PATH %s: %s",
		        check_text(f, "SENDMAIL_PATH"), strerror(errno)),
		    "Install a program of that name (package msmtp-mta, or a mail server).");
	if (deploy && mail_is_on(c) && !config_bool(c, "MAIL_SMTP_STARTTLS") &&
	    strncmp(url, "smtp://", 7) == 0 && strncmp(url, "smtp://localhost", 16) != 0 &&
	    strncmp(url, "smtp://127.", 11) != 0 && strncmp(url, "smtp://[::1]", 12) != 0)
		found(f, false, STR("mail travels without TLS, and links to set passwords with it"),
		    "Take the key out, or name a mail server of this machine.");
	if (check_text(f, "TOM_TERMS_OF_SERVICE_VERSION")[0] != '\0' &&
	    check_text(f, "TERMS_FILE")[0] == '\0' && check_text(f, "TEMPLATES")[0] == '\0')
		found(f, false, STR("TOM_TERMS_OF_SERVICE_VERSION is set, but there is no text"),
		    "Name a file with it as TERMS_FILE.");
}

static void
check_sandbox(struct findings *f)
{
	struct sandbox box;

	if (!config_bool(f->run->config, "SANDBOX")) {
		found(f, true, STR("SANDBOX is off"),
		    "Take the key out: workers then give up what they do not need.");
		return;
	}
	sandbox_begin(&box);
	if (box.rules >= 0)
		close(box.rules);
	else
		found(f, false,
		    STR("this kernel has no Landlock: workers can open every file of their user"),
		    "Boot with lsm=landlock,... or a kernel of 5.13 or later.");
}

/* Patterns that open all of a site that is LOCKED: those that fit a path nobody would name. */
static void
check_open_urls(struct findings *f)
{
	struct str pattern;

	for (size_t i = 0; (pattern = config_item(f->run->config, "OPEN_URLS", i)).p != NULL; i++)
		if (strcmp(check_text(f, "AUTH_STRATEGY"), "LOCKED") == 0 &&
		    fnmatch(pattern.p, "/which/nobody/names", FNM_NOESCAPE) == 0)
			found(f, true,
			    arena_printf(f->run->arena,
			        "OPEN_URLS holds %.*s: the site is not LOCKED", STR_ARG(pattern)),
			    "Name what is open, such as /targets/.");
}

/* Networks that hold the addresses of strangers: these are of documentation, and no proxy's. */
static void
check_proxies(struct findings *f)
{
	static const char *const strangers[] = { "203.0.113.7", "2001:db8::7" };
	struct str hop = STR("192.0.2.7");

	for (size_t i = 0; i < NELEM(strangers); i++)
		if (str_eq(
		        proxy_address(f->run->arena, f->run->config, str_of(strangers[i]), &hop, 1),
		        hop)) {
			found(f, true,
			    STR("TRUSTED_PROXIES holds everybody: visitors say what their address "
			        "is"),
			    "Name the addresses of the proxies alone, or guessing is not slowed "
			    "down.");
			return;
		}
}

void
check_settings(struct findings *f)
{
	struct config *c = f->run->config;

	if (config_bool(c, "INSECURE_HTTP"))
		found(f, true, STR("INSECURE_HTTP is on: cookies travel without TLS"),
		    "Take the key out and serve https; deploy/nginx and deploy/apache have "
		    "examples.");
	for (size_t i = 0;; i++) {
		struct str host = config_item(c, "ALLOWED_HOSTS", i);

		if (host.p == NULL)
			break;
		if (str_find(host, '*') < host.n)
			found(f, true, STR("ALLOWED_HOSTS holds a *"),
			    "Name each host; the Sites table holds the ones of this site.");
	}
	check_sandbox(f);
	check_places(f);
	check_open_urls(f);
	check_proxies(f);
	if (config_int(c, "SESSION_DAYS") > 30)
		found(f, false, STR("sessions last longer than 30 days"),
		    "Take SESSION_DAYS out: 14 days.");
	if (config_int(c, "PASSWORD_MIN_LENGTH") < 15)
		found(f, false,
		    arena_printf(f->run->arena, "PASSWORD_MIN_LENGTH is %lld",
		        (long long)config_int(c, "PASSWORD_MIN_LENGTH")),
		    "15 characters is the least where the password is the only factor (NIST SP "
		    "800-63B).");
	if (config_text(c, "PASSWORD_BREACH_FILE")[0] != '\0' &&
	    access(config_text(c, "PASSWORD_BREACH_FILE"), R_OK) != 0)
		found(f, true, STR("PASSWORD_BREACH_FILE cannot be read: no password can be set"),
		    "Let the user whom the site runs as read it, or take the key out.");
	if (config_bool(c, "PASSWORD_IMPORT_MD5"))
		found(f, false, STR("PASSWORD_IMPORT_MD5 is on"),
		    "Take the key out when the users of the old site have signed in once.");
	if (config_int(c, "PASSWORD_FLOOR_MS") < 500)
		found(f, false,
		    STR("PASSWORD_FLOOR_MS is shorter than a hash takes: times tell who has an "
		        "account"),
		    "Take the key out.");
	if (config_bool(c, "OPEN_SEARCH"))
		found(f, false,
		    STR("OPEN_SEARCH is on: visitors may export and search without bounds"),
		    "Take the key out unless the site is meant to be an open archive.");
	if (strcmp(config_text(c, "LOG_LEVEL"), "debug") == 0)
		found(f, false, STR("LOG_LEVEL is debug"), "Set it to info or warn.");
}
