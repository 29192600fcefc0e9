/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clockshim - LD_PRELOAD: a wall clock that tests can set while a program runs.
 *
 * Adds what the file named by HSCHED_TEST_CLOCK holds (a double of seconds, in the machine's own
 * form) to CLOCK_REALTIME, gettimeofday() and time(); monotonic clocks stay as they are.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile double *shift_s;

__attribute__((constructor)) static void open_file(void)
{
    const char *path = getenv("HSCHED_TEST_CLOCK");
    int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *page = fd >= 0 ? mmap(NULL, sizeof(double), PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;

    shift_s = page != MAP_FAILED ? page : NULL;
    if (fd >= 0) {
        (void)close(fd);
    }
}

int clock_gettime(clockid_t id, struct timespec *ret)
{
    static int (*next)(clockid_t, struct timespec *);
    int rc;

    if (next == NULL) {
        *(void **)&next = dlsym(RTLD_NEXT, "clock_gettime");
    }
    rc = next(id, ret);
    if (rc == 0 && shift_s != NULL && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) {
        ret->tv_sec += (time_t)floor(*shift_s);
    }
    return rc;
}

int gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
    struct timespec now;

    (void)zone;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    ret->tv_sec = now.tv_sec;
    ret->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *ret)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (ret != NULL) {
        *ret = now.tv_sec;
    }
    return now.tv_sec;
}
