/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * catalogue - what is assumed of a cooling architecture, a kind of sink or a kind of backup
 * until the owner of the estate says otherwise.
 *
 * Every figure is an assumption, on the careful side, and gives way to any field of estate.json.
 * Words: interfaces.md, "Enums and small tables". Static tables; pure.
 */

#include <stddef.h>

/** One cooling architecture. */
struct hs_catalogue_cooling {
    const char *name;
    double capture_ratio; /* share of IT heat that reaches the loop */
    const char *source;   /* where the figure comes from */
};

/** One kind of sink. */
struct hs_catalogue_sink {
    const char *name;
    double supply_min_c; /* coldest supply that is of use */
};

/** One kind of backup; NAN: the owner must say, or the site's electricity decides. */
struct hs_catalogue_backup {
    const char *name;
    const char *alias; /* nullable; accepted in files, never written */
    double efficiency_ratio;
    double gco2_per_kwh;  /* of the fuel */
    int uses_electricity; /* price and carbon default to the site's electricity */
};

/** One kind of building. */
struct hs_catalogue_template {
    const char *name;
    const char *sink_kind; /* kind of its sinks that state none */
    const char *caution;   /* what is known to go wrong there */
};

/* NULL-terminated, for field tables */
extern const char *const hs_catalogue_cooling_words[];
extern const char *const hs_catalogue_sink_words[];
extern const char *const hs_catalogue_lift_words[];
extern const char *const hs_catalogue_backup_words[]; /* aliases included */
extern const char *const hs_catalogue_template_words[];

/** NULL if there is none of that name. Static. */
const struct hs_catalogue_cooling *hs_catalogue_find_cooling(const char *name);
const struct hs_catalogue_sink *hs_catalogue_find_sink(const char *name);
const struct hs_catalogue_backup *hs_catalogue_find_backup(const char *name_or_alias);
const struct hs_catalogue_template *hs_catalogue_find_template(const char *name);
