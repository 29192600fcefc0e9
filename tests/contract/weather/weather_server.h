/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * weather_server - a weather service in a process of its own: answers as it is told to, counts
 * what it is asked.
 */

#include <stdint.h>
#include <sys/types.h>

enum weather_server_mode {
    SERVES_NORMAL,    /* Last-Modified, ETag, Expires half an hour on; 304 where nothing changed */
    SERVES_MAX_AGE,   /* two hours by max-age, and an Expires before */
    SERVES_GARBAGE,   /* a page of HTML */
    SERVES_TRUNCATED, /* half of a forecast */
    SERVES_UNITS,     /* kelvin */
    SERVES_HUGE,      /* 3 MiB */
    SERVES_BOMB,      /* a few KiB that unpack to 16 MiB */
    SERVES_SLOWLY,    /* takes the request and never answers */
    SERVES_429,       /* Retry-After: two hours */
    SERVES_500,
    SERVES_403,
    SERVES_REDIRECT, /* to itself by plain http */
    SERVES_203,      /* as normal, but to end soon */
};

/** Shared with the process. */
struct weather_server {
    volatile int mode;
    volatile int64_t now_at_s;     /* its clock */
    volatile int64_t changed_at_s; /* Last-Modified */
    volatile int n_requests;
    volatile int n_conditional; /* with If-Modified-Since and If-None-Match as they were sent */
    volatile double t_out_c;    /* of every hour of its forecast */
    char agent[128];
    char query[256];
    uint16_t port;
    pid_t pid;
};

/** Start; owned by the caller. */
struct weather_server *weather_server_start(void);

/** End the process; the port is closed, what is shared stays. */
void weather_server_stop(struct weather_server *server);
