/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * maintenance - a span in which hosts are to take no work, or a sink's own heating is out; known
 * ahead, of both sides of the house. Plain value.
 */

#include <stdbool.h>
#include <stdint.h>

#include "scheduler/base/conf.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/model/estate.h"

struct hs_maintenance {
    uint64_t id;            /* 0 until it has one */
    char kind[HS_NAME_MAX]; /* "site", "loop", "rack", "host", "boiler": what is out of use */
    char name[HS_PATH_MAX]; /* its path */
    int64_t from_at_s;
    int64_t until_at_s;
    bool is_off; /* its hosts are switched off: what they draw when idle is gone as well */
    char why[128];
    char owner[64];      /* who does it */
    char contact[96];    /* how to reach them */
    char escalation[96]; /* whom to call if it goes wrong */
};

extern const struct hs_conf_table hs_maintenance_table;

/**
 * Read a request, or what hs_maintenance_format() gave.
 *
 * @param now_at_s  what `now` and `18:00` go by
 * @return 0 or -HS_E_INVALID with @report filled
 */
int hs_maintenance_parse(const json_t *json, int64_t now_at_s, struct hs_maintenance *ret_it,
                         struct hs_conf_report *report);

/** Does the estate have what it is of? @return 0 or -HS_E_NOTFOUND */
int hs_maintenance_check(const struct hs_maintenance *it, const struct hs_estate *estate,
                         struct hs_err *err);

/** Is host @host_idx part of what it is of? */
bool hs_maintenance_covers(const struct hs_maintenance *it, const struct hs_estate *estate,
                           size_t host_idx);

/** The sink whose own heating is out; SIZE_MAX if it is not of a boiler. */
size_t hs_maintenance_find_sink(const struct hs_maintenance *it, const struct hs_estate *estate);

/** {id, kind, name, from, until, off, why, owner, contact, escalation}. Owned by the caller. */
json_t *hs_maintenance_format(const struct hs_maintenance *it);
