/*
 * Shifts the wall clock of one process: preloaded, it adds CLOCK_SHIFT_SECONDS to what the
 * process is told. The monotonic clock stays as it is, as it does when a host's clock is set.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long shift;

__attribute__((constructor)) static void init(void)
{
	const char *seconds = getenv("CLOCK_SHIFT_SECONDS");

	shift = seconds ? atol(seconds) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
	int failed = syscall(SYS_clock_gettime, clock, time);

	if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		time->tv_sec += shift;
	return failed;
}

int gettimeofday(struct timeval *restrict value, void *restrict zone)
{
	struct timespec time;

	(void) zone;
	clock_gettime(CLOCK_REALTIME, &time);
	value->tv_sec = time.tv_sec;
	value->tv_usec = time.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *out)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (out)
		*out = now.tv_sec;
	return now.tv_sec;
}
