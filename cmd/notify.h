/*
 * notify.h: what systemd is told, where it started us.
 */
#ifndef MERIDIAN_NOTIFY_H
#define MERIDIAN_NOTIFY_H

/* "READY=1", "STOPPING=1" ... */
void notify(const char *text);

/*
 * Says, once a second at most, that the daemon goes on. Called between the turns of streams, and between
 * answers where one turn waits for several: nothing that is waited for takes longer than the time after
 * which systemd ends what it does not hear of.
 */
void notify_alive(void);

#endif
