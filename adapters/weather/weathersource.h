/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * weathersource - port to the weather forecast of one site: from a service by HTTPS, or from a
 * file that something else writes.
 *
 * Works by itself once made: tells of a forecast when there is a newer one, and of trouble when
 * it begins and ends. Every read blocks a worker's lane of its own and nothing else; what was
 * told last stays good, with its issue time, while the source fails. Tells no forecast before
 * its issue time. Loop thread only.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/clock.h"
#include "scheduler/base/err.h"
#include "scheduler/base/executor.h"
#include "scheduler/model/outlook.h"

struct hs_weathersource;

/** What a forecast is written in. */
struct hs_weathersource_kind {
    const char *name;
    const char *summary;

    /** @param received_at_s  when we got it; INT64_MAX: from a file. NULL: files of many issues */
    int (*parse)(const char *file, const char *text, size_t n_bytes, int64_t received_at_s,
                 struct hs_outlook *ret_outlook, struct hs_err *err);

    /** printf format of latitude and longitude; NULL: there is no service */
    const char *url_format;
    bool says_issue; /* the text does; else the transfer or the file's time does */
};

/** Kind named @name ("open-meteo", "met-norway", "csv"), or NULL. Static. */
const struct hs_weathersource_kind *hs_weathersource_find_kind(const char *name);

/**
 * Where the service of @kind, which has one, answers for a place; four decimals are what it takes.
 *
 * @param ret_url  [size]
 */
void hs_weathersource_format_url(const struct hs_weathersource_kind *kind, double latitude,
                                 double longitude, char *ret_url, size_t size);

/** https, or http of this very machine. @return 0 or -HS_E_INVALID saying what would be right */
int hs_weathersource_check_url(const char *url, struct hs_err *err);

struct hs_weathersource_options {
    struct hs_executor *executor;             /* kept */
    const struct hs_clock *clock;             /* plan time; kept */
    const struct hs_clock *wall;              /* real time; kept */
    const struct hs_weathersource_kind *kind; /* static */
    const char *name;                         /* the site's; names the lane and the cache */
    const char *url;                          /* NULL or "": path is read */
    const char *path;
    const char *contact;   /* mail or page that a service can turn to; "" if none */
    const char *cache_dir; /* made if need be, its parent is there; "" keeps nothing */
    double timeout_s;      /* real, of one answer; 0: 30 */
    uint64_t chance;       /* seed of waiting times; 0: a new one */

    /** A newer forecast; @outlook is borrowed. */
    void (*told)(void *arg, const struct hs_outlook *outlook);

    /** Trouble began, or another kind of it; @err NULL: it is over. */
    void (*trouble)(void *arg, const struct hs_err *err);
    void *arg; /* kept */
};

/** Begins at once. @param options  borrowed, but for what is kept. Owned by the caller */
struct hs_weathersource *hs_weathersource_new(const struct hs_weathersource_options *options);

struct hs_weathersource_status {
    int64_t issued_at_s; /* of the forecast told last; 0: none yet */
    size_t n_asked;      /* reads begun */
    unsigned n_failures; /* in a row */
    char error[192];     /* of the last read; "" if it went well */
};

void hs_weathersource_get_status(const struct hs_weathersource *source,
                                 struct hs_weathersource_status *ret_status);

/** Neither told() nor trouble() is called any more; a read under way is let go. Accepts NULL. */
void hs_weathersource_free(struct hs_weathersource *source);
HS_DEFINE_AUTO(hs_weathersource);
