/*
 * timescale.h: from the time scale that a survey keeps to the one that Meridian does.
 */
#ifndef MERIDIAN_TIMESCALE_H
#define MERIDIAN_TIMESCALE_H

/*
 * MJD in UTC of an MJD in TAI, to the last bit or the one before it. On a day that ends in a leap
 * second it is ERFA's quasi-JD: that day's 86,401 seconds are spread over it (eraTaiutc; IAU SOFA
 * "Time Scales and Calendar Tools"). After the last leap second that ERFA knows its offset goes on.
 * NAN where it is no date.
 */
double timescale_tai_to_utc(double mjd);

/* MJD in TT of an MJD in UTC: for ephemerides. NAN where it is no date. */
double timescale_utc_to_tt(double mjd);

#endif
