/* SPDX-License-Identifier: Apache-2.0 */
/* log - see log.h. */
#include "scheduler/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static atomic_int max_level = HS_LOG_LEVEL_INFO;

static const char *const level_words[] = {
    [HS_LOG_LEVEL_ERROR] = "error",
    [HS_LOG_LEVEL_WARN] = "warn ",
    [HS_LOG_LEVEL_INFO] = "info ",
    [HS_LOG_LEVEL_DEBUG] = "debug",
};

void hs_log_set_level(enum hs_log_level level)
{
    atomic_store(&max_level, (int)level);
}

void hs_log_write(enum hs_log_level level, const char *room, const char *fmt, ...)
{
    char line[1024];
    char stamp[32];
    struct tm utc;
    time_t now;
    int saved_errno = errno;
    int n;
    va_list ap;

    if ((int)level > atomic_load(&max_level)) {
        return;
    }
    now = time(NULL);
    gmtime_r(&now, &utc);
    strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", &utc);
    n = snprintf(line, sizeof(line), "%s %s %s: ", stamp, level_words[level], room);
    va_start(ap, fmt);
    vsnprintf(line + n, sizeof(line) - (size_t)n - 1, fmt, ap);
    va_end(ap);
    n = (int)strlen(line);
    line[n++] = '\n';
    (void)!write(STDERR_FILENO, line, (size_t)n);
    errno = saved_errno;
}
