/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * assumed - the values of an estate that nobody measured or wrote, each with its source.
 *
 * The catalogue gives them; they are told to the owner until the file says better. Plain values.
 */

#include <stddef.h>

#include <jansson.h>

#include "scheduler/model/site.h"

/** One value that the catalogue gave. */
struct hs_assumed {
    char path[HS_PATH_MAX];  /* of what it belongs to: "site", "site/loop/sink", "site/rack" */
    char field[HS_NAME_MAX]; /* "supply_min_c", "tank/volume_l" */
    double value;            /* NAN where it is a word */
    char word[HS_NAME_MAX];
    const char *source; /* static */
};

/** Starts as {0}. */
struct hs_assumed_list {
    struct hs_assumed *items;
    size_t n;
    size_t n_max;
};

/** Add a number. @source is kept, so static. */
void hs_assumed_add_real(struct hs_assumed_list *list, const char *path, const char *field,
                         double value, const char *source);

/** Add a word. @source is kept, so static. */
void hs_assumed_add_word(struct hs_assumed_list *list, const char *path, const char *field,
                         const char *word, const char *source);

/** [{path, field, value, source}] of all below @site, or of all where it is NULL. Owned. */
json_t *hs_assumed_format(const struct hs_assumed_list *list, const char *site);

/** One sentence for a person, "" if there are none: the first @n_max values. Owned (free). */
char *hs_assumed_format_text(const struct hs_assumed_list *list, size_t n_max);

void hs_assumed_list_fini(struct hs_assumed_list *list);
