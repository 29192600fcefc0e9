/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * render - one JSON value as a person reads it: kW, percent, short times, bars.
 *
 * The only file where W becomes kW and a ratio becomes percent. Machine formats (json, csv)
 * never pass through here.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

enum hs_render_kind {
    HS_RENDER_TEXT,     /* text, whole number or list, as it is */
    HS_RENDER_KW,       /* from W */
    HS_RENDER_KWH,      /* from Wh */
    HS_RENDER_PERCENT,  /* from a ratio */
    HS_RENDER_CELSIUS,  /* one decimal */
    HS_RENDER_PRICE,    /* cur/MWh, one decimal */
    HS_RENDER_MONEY,    /* cur, two decimals */
    HS_RENDER_AT,       /* from RFC 3339 */
    HS_RENDER_DURATION, /* from s */
    HS_RENDER_MEMORY,   /* from MiB */
    HS_RENDER_YES,      /* from a boolean */
};

/** True if the locale of this process can print UTF-8. */
bool hs_render_is_utf8(void);

/**
 * The text for a cell; "-" where the value is absent. Owned by the caller (free).
 *
 * @param value     borrowed, nullable
 * @param ref_at_s  times within six days of it show as "Mon 18:15Z"
 */
char *hs_render_value(const json_t *value, enum hs_render_kind kind, int64_t ref_at_s);

/** The same for a number that is known. Owned by the caller (free). */
char *hs_render_number(double value, enum hs_render_kind kind);

/** "Mon 18:15Z" within six days of @ref_at_s, else "2026-01-05 18:15Z". Owned by the caller. */
char *hs_render_at(int64_t at_s, int64_t ref_at_s);

/**
 * One bar a value, from the least to the greatest. Unknown values (NAN) leave a gap. Without
 * UTF-8 digits 0..9 stand for the bars. Owned by the caller (free).
 *
 * @param values  [n_values]; borrowed
 */
char *hs_render_bars(const double *values, size_t n_values);

/** The same on a scale that several drawings share. @param least  of the scale, as @greatest */
char *hs_render_bars_between(const double *values, size_t n_values, double least, double greatest);

/**
 * "0.41 ± 0.03": no more digits than the error allows; without an error three. W and Wh become
 * kW and kWh by @kind, all else stays. "-" where @value is NAN. Owned by the caller (free).
 */
char *hs_render_uncertain(double value, double error, enum hs_render_kind kind);

/** The value at @path ("reasons.0.text") in @object, or NULL. Borrowed. */
const json_t *hs_render_find(const json_t *object, const char *path);

/** The text at @path, or NULL if it is absent, empty or no text. Borrowed. */
const char *hs_render_find_text(const json_t *object, const char *path);

/** The number at @path, or NAN. */
double hs_render_find_real(const json_t *object, const char *path);

/** Plan time of an answer: its `at`, else its `from`, else the clock of this machine. */
int64_t hs_render_find_now(const json_t *answer);
