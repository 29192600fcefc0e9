/* SPDX-License-Identifier: Apache-2.0 */
/* advice - the checks that need racks, loops and sinks together. */
#include "scheduler/model/advice.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/model/catalogue.h"

static void advise_racks(const struct hs_estate *estate, const char *prefix, FILE *out)
{
    for (size_t i = 0; i < estate->n_racks; i++) {
        const struct hs_rack *rack = &estate->racks[i];
        const struct hs_heatloop *loop = &estate->loops[rack->loop_idx];
        const struct hs_catalogue_cooling *cooling = hs_catalogue_find_cooling(rack->cooling);

        if (cooling != NULL && loop->supply_c > cooling->supply_max_c) {
            fprintf(out,
                    "%srack '%s': cooling %s hands over heat at %.10g °C at most, loop '%s' wants "
                    "%.10g °C; lower its supply_c or give its sinks a heat pump\n",
                    prefix, rack->path, cooling->name, cooling->supply_max_c, loop->path,
                    loop->supply_c);
        }
    }
}

static void advise_sinks(const struct hs_estate *estate, const char *prefix, FILE *out)
{
    for (size_t i = 0; i < estate->n_sinks; i++) {
        const struct hs_sink *sink = &estate->sinks[i];
        const struct hs_heatloop *loop = &estate->loops[sink->loop_idx];
        bool is_radiator = strcmp(sink->kind, "space-heating-radiator") == 0;
        double need_c = hs_catalogue_find_sink(sink->kind)->supply_min_c;

        if (is_radiator && strcmp(sink->lift, "heat-pump") != 0 && loop->supply_c < need_c) {
            fprintf(out,
                    "%ssink '%s': radiators need some %.10g °C, loop '%s' has %.10g °C; give the "
                    "sink the lift heat-pump, or change the emitters and call it "
                    "space-heating-low-temperature\n",
                    prefix, sink->path, need_c, loop->path, loop->supply_c);
        } else if (strcmp(sink->lift, "none") == 0 && loop->supply_c < sink->supply_min_c) {
            fprintf(out,
                    "%ssink '%s': needs %.10g °C, loop '%s' has %.10g °C; give the sink a lift "
                    "(preheat, heat-pump)\n",
                    prefix, sink->path, sink->supply_min_c, loop->path, loop->supply_c);
        } else if (strcmp(sink->lift, "preheat") == 0
                   && loop->supply_c <= hs_sink_get_return_c(sink)) {
            fprintf(out,
                    "%ssink '%s': its water comes back at %.10g °C, loop '%s' has %.10g °C and "
                    "preheats nothing; give the sink the lift heat-pump\n",
                    prefix, sink->path, hs_sink_get_return_c(sink), loop->path, loop->supply_c);
        }
    }
}

/* Heat that the racks of a loop hand over with every host busy, W. */
static double get_full_heat_w(const struct hs_estate *estate, size_t loop_idx)
{
    double heat_w = 0;

    for (size_t i = 0; i < estate->n_hosts; i++) {
        const struct hs_host *host = &estate->hosts[i];

        if (host->loop_idx == loop_idx) {
            heat_w += host->max_w * estate->racks[host->rack_idx].capture_ratio;
        }
    }
    return heat_w;
}

static void advise_loops(const struct hs_estate *estate, const char *prefix, FILE *out)
{
    for (size_t i = 0; i < estate->n_loops; i++) {
        const struct hs_heatloop *loop = &estate->loops[i];
        const struct hs_site *site = &estate->sites[loop->site_idx];
        const struct hs_catalogue_redundancy *level =
            hs_catalogue_find_redundancy(site->redundancy);
        double heat_w = get_full_heat_w(estate, i) * level->heat_ratio;

        if (isfinite(loop->rejection_limit_w) && loop->rejection_limit_w < heat_w) {
            fprintf(out,
                    "%sloop '%s': rejection/limit_w is %.10g W, with redundancy %s its racks ask "
                    "for %.0f W\n",
                    prefix, loop->path, loop->rejection_limit_w, level->name, heat_w);
        }
    }
}

char *hs_advice_format(const struct hs_estate *estate, const char *prefix)
{
    char *text = NULL;
    size_t n_bytes = 0;
    FILE *out = open_memstream(&text, &n_bytes);

    if (out == NULL) {
        hs_mem_exhausted();
    }
    advise_racks(estate, prefix, out);
    advise_sinks(estate, prefix, out);
    advise_loops(estate, prefix, out);
    if (fclose(out) != 0) {
        hs_mem_exhausted();
    }
    return text;
}
