/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * signal - port to what the world outside says: weather, electricity price, carbon intensity.
 *
 * The thin version knows one backend, signal_file.c: CSV, plain or .gz. The same reader serves
 * measured heat for replay. Blocking; called at start-up only.
 */

#include <stdint.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/conf.h"
#include "scheduler/base/err.h"
#include "scheduler/model/series.h"

/** One series as scenario and hschedd.json name it (simulator.md, Scenario). */
struct hs_signal_spec {
    char csv[512]; /* path, relative to the file that names it */
    char column[64];
    double scale;    /* a column ending `_kw` is x1000 before this */
    int64_t shift_s; /* added to the stamps */
};

/** What a series measures: values that it cannot have count as unknown. */
struct hs_signal_quantity {
    const char *name; /* "heat demand" */
    const char *unit; /* "W" */
    double min;       /* after scaling */
    double max;
};

extern const struct hs_signal_quantity hs_signal_heat;
extern const struct hs_signal_quantity hs_signal_outdoor;
extern const struct hs_signal_quantity hs_signal_irradiance;
extern const struct hs_signal_quantity hs_signal_wind;
extern const struct hs_signal_quantity hs_signal_price; /* may be below zero, and is at times */
extern const struct hs_signal_quantity hs_signal_carbon;

/** Values left out because the quantity cannot have them. */
struct hs_signal_odd {
    size_t n;
    double value;   /* the first, scaled */
    char where[64]; /* its file:line */
};

/** Fields csv, column, scale, shift_s, for tables that embed a spec at offset 0. */
extern const struct hs_conf_table hs_signal_spec_table;

/**
 * Read a whole series. Stamps are RFC 3339 in the first column; empty cells are unknown, and so
 * is the time from a missing row to the next: a distance of stamps over 1.5 of those around it
 * gets an unknown value one usual step after the row before.
 *
 * @param base_dir    directory that relative paths start from; borrowed
 * @param ret_series  owned by the caller on success
 * @return 0, -HS_E_NOTFOUND (file, or column: names the nearest), -HS_E_INVALID with
 *         where = file:line for a malformed line, -HS_E_SYSTEM
 */
int hs_signal_load(const struct hs_signal_spec *spec, const char *base_dir,
                   struct hs_series **ret_series, struct hs_err *err);

/** Keeps the file read last, for many columns of one file; opaque. */
struct hs_signal_cache;
struct hs_signal_cache *hs_signal_cache_new(void);
void hs_signal_cache_free(struct hs_signal_cache *cache);
HS_DEFINE_AUTO(hs_signal_cache);

/** All but base_dir may be NULL. */
struct hs_signal_options {
    const char *base_dir;
    const struct hs_signal_quantity *quantity; /* NULL: any value is taken */
    struct hs_signal_odd *odd;                 /* set on success: what was left out */
    struct hs_signal_cache *cache;
};

/**
 * As hs_signal_load(), and every value that the quantity cannot have is unknown; more than one in
 * ten of them is a wrong unit or column, and refused.
 */
int hs_signal_load_with(const struct hs_signal_spec *spec, const struct hs_signal_options *options,
                        struct hs_series **ret_series, struct hs_err *err);
