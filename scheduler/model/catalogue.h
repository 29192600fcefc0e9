/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * catalogue - what is assumed of a cooling architecture, a kind of sink, a kind of backup or a
 * kind of building until the owner of the estate says otherwise.
 *
 * Every figure is on the careful side, has a source (one that starts with "assumed" is our own
 * reasoning) and gives way to any field of estate.json. docs/catalogue.md is printed from these
 * tables. Words: docs/estate.md. Static tables; pure. sitefill applies them to a file.
 */

#include <stdbool.h>
#include <stddef.h>

#define HS_CATALOGUE_SINKS_MAX 2 /* sinks of one template */

/** One cooling architecture. */
struct hs_catalogue_cooling {
    const char *name;
    double capture_ratio; /* share of IT heat that reaches the loop */
    const char *source;   /* where the capture ratio comes from */
    double supply_min_c;  /* range in which it can hand over heat */
    double supply_max_c;
    double supply_c; /* what is assumed where the file names this cooling only */
    const char *supply_source;
    double elec_ratio; /* electricity of fans and pumps for each Wh captured */
    const char *elec_source;
    double spread_k; /* supply minus return at full load; gives the least flow */
    const char *spread_source;
    double ramp_ratio_per_min; /* how much of a rack's full heat may come or go in a minute */
    const char *ramp_source;
    const char *heat_use;   /* how much of the heat is of use: words of the comparison */
    const char *complexity; /* to build and to run */
    const char *fit;        /* where it belongs */
    const char *caution;
};

/** One kind of sink. */
struct hs_catalogue_sink {
    const char *name;
    double supply_min_c; /* coldest supply that is of use */
    const char *lift;    /* what a template does where the loop is colder */
    const char *source;
};

/** One kind of backup; NAN: the owner must say, or the site's electricity decides. */
struct hs_catalogue_backup {
    const char *name;
    const char *alias; /* nullable; accepted in files, never written */
    double efficiency_ratio;
    double gco2_per_kwh;  /* of the fuel */
    int uses_electricity; /* price and carbon default to the site's electricity */
    const char *source;
};

/** How much of a site's rejection may fail before heat has nowhere to go. */
struct hs_catalogue_redundancy {
    const char *name;
    double heat_ratio; /* rejection to install for each W that the racks may hand over */
    const char *help;
};

/** One sink that a template offers. */
struct hs_catalogue_template_sink {
    const char *name;
    const char *kind;
};

/** One kind of building. */
struct hs_catalogue_template {
    const char *name;
    const char *sink_kind; /* kind of its sinks that state none: that of the first one here */
    struct hs_catalogue_template_sink sinks[HS_CATALOGUE_SINKS_MAX]; /* name NULL: no more */
    double tank_h;                                                   /* tank: hours of full heat */
    const char *redundancy;
    bool is_household; /* which prices of energy */
    const char *fit;   /* for heat reuse */
    const char *complexity;
    const char *caution; /* what is known to go wrong there */
};

/** A figure that every template shares. */
struct hs_catalogue_figure {
    const char *name;
    double value;
    const char *unit;
    const char *source;
};

enum hs_catalogue_figure_id {
    HS_CATALOGUE_ELEC_PRICE,
    HS_CATALOGUE_ELEC_PRICE_HOUSEHOLD,
    HS_CATALOGUE_ELEC_GCO2,
    HS_CATALOGUE_GAS_PRICE,
    HS_CATALOGUE_GAS_PRICE_HOUSEHOLD,
    HS_CATALOGUE_REJECTION_ELEC_RATIO,
    HS_CATALOGUE_ROOM_ELEC_RATIO,
    HS_CATALOGUE_TANK_SPREAD_K,
    HS_CATALOGUE_TANK_LOSS,
    HS_CATALOGUE_N_FIGURES,
};

#define HS_CATALOGUE_CURRENCY "EUR"  /* of the prices above: no other currency gets them */
#define HS_CATALOGUE_LOOP     "heat" /* name of a template's loop */

/* NULL-terminated, for field tables */
extern const char *const hs_catalogue_cooling_words[];
extern const char *const hs_catalogue_sink_words[];
extern const char *const hs_catalogue_lift_words[];
extern const char *const hs_catalogue_backup_words[]; /* aliases included */
extern const char *const hs_catalogue_redundancy_words[];
extern const char *const hs_catalogue_template_words[];

/** NULL if there is none of that name. Static. */
const struct hs_catalogue_cooling *hs_catalogue_find_cooling(const char *name);
const struct hs_catalogue_sink *hs_catalogue_find_sink(const char *name);
const struct hs_catalogue_backup *hs_catalogue_find_backup(const char *name_or_alias);
const struct hs_catalogue_redundancy *hs_catalogue_find_redundancy(const char *name);
const struct hs_catalogue_template *hs_catalogue_find_template(const char *name);

/** Static. */
const struct hs_catalogue_figure *hs_catalogue_get_figure(enum hs_catalogue_figure_id id);

/** Least flow of @cooling for each kW captured: 1000 W / (60 min/h x 1.163 Wh/(l K) x spread). */
double hs_catalogue_get_flow_l_per_min_kw(const struct hs_catalogue_cooling *cooling);

/**
 * Standing loss of a tank of @volume_l that just meets class C, W/K at 45 K above its room:
 * (16.66 + 8.33 x volume^0.4) / 45. Source: Commission Delegated Regulation (EU) No 812/2013,
 * Annex II; stretched beyond the 500 l that it labels.
 */
double hs_catalogue_get_tank_loss_w_per_k(double volume_l);
