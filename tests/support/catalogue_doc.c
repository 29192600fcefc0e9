/* SPDX-License-Identifier: Apache-2.0 */
/* catalogue_doc - prints docs/catalogue.md from the tables that the programs themselves use. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/model/catalogue.h"

static void print_comparison(void)
{
    puts("## Which cooling\n\n"
         "| cooling | heat use | complexity | where it fits | caution |\n|---|---|---|---|---|");
    for (size_t i = 0; hs_catalogue_cooling_words[i] != NULL; i++) {
        const struct hs_catalogue_cooling *row =
            hs_catalogue_find_cooling(hs_catalogue_cooling_words[i]);

        printf("| `%s` | %s | %s | %s | %s |\n", row->name, row->heat_use, row->complexity,
               row->fit, row->caution);
    }
    puts("\nA pool, a floor or a low-temperature emitter can take heat as it comes from "
         "`direct-to-chip`, `immersion` or `hybrid`. Behind the air coolings nearly every sink "
         "needs a heat pump: count its electricity before you call the retrofit cheap.\n");
    puts("| cooling | captured | supply °C, usual | electricity per Wh captured | least flow l/min "
         "per kW | ramp, share of full heat a minute |\n|---|---|---|---|---|---|");
    for (size_t i = 0; hs_catalogue_cooling_words[i] != NULL; i++) {
        const struct hs_catalogue_cooling *row =
            hs_catalogue_find_cooling(hs_catalogue_cooling_words[i]);

        printf("| `%s` | %.2f | %.0f to %.0f, %.0f | %.2f | %.1f (%.0f K) | %.2f |\n", row->name,
               row->capture_ratio, row->supply_min_c, row->supply_max_c, row->supply_c,
               row->elec_ratio, hs_catalogue_get_flow_l_per_min_kw(row), row->spread_k,
               row->ramp_ratio_per_min);
    }
    puts("\nSources:\n");
    for (size_t i = 0; hs_catalogue_cooling_words[i] != NULL; i++) {
        const struct hs_catalogue_cooling *row =
            hs_catalogue_find_cooling(hs_catalogue_cooling_words[i]);

        printf("- `%s`: captured: %s. Supply: %s. Electricity: %s. Flow: %s. Ramp: %s.\n",
               row->name, row->source, row->supply_source, row->elec_source, row->spread_source,
               row->ramp_source);
    }
}

static void print_templates(void)
{
    puts("\n## Which building\n\n"
         "| template | fit | complexity | caution | sinks of loop `" HS_CATALOGUE_LOOP
         "` | tank holds all heat for | redundancy |\n|---|---|---|---|---|---|---|");
    for (size_t i = 0; hs_catalogue_template_words[i] != NULL; i++) {
        const struct hs_catalogue_template *row =
            hs_catalogue_find_template(hs_catalogue_template_words[i]);

        printf("| `%s` | %s | %s | %s | ", row->name, row->fit, row->complexity, row->caution);
        for (size_t k = 0; k < HS_CATALOGUE_SINKS_MAX && row->sinks[k].name != NULL; k++) {
            printf("%s`%s` (%s)", k > 0 ? ", " : "", row->sinks[k].name, row->sinks[k].kind);
        }
        printf(" | %.0f h | %s |\n", row->tank_h, row->redundancy);
    }
    puts("\nFit, complexity, hours and redundancy are judgement, not measurement. Every sink's "
         "backup is a gas boiler. What else a template gives:\n\n"
         "| what | value | unit | source |\n|---|---|---|---|");
    for (int i = 0; i < HS_CATALOGUE_N_FIGURES; i++) {
        const struct hs_catalogue_figure *row =
            hs_catalogue_get_figure((enum hs_catalogue_figure_id)i);

        printf("| %s | %g | %s | %s |\n", row->name, row->value, row->unit, row->source);
    }
    puts("\n| redundancy | rejection for each W of full heat | meaning |\n|---|---|---|");
    for (size_t i = 0; hs_catalogue_redundancy_words[i] != NULL; i++) {
        const struct hs_catalogue_redundancy *row =
            hs_catalogue_find_redundancy(hs_catalogue_redundancy_words[i]);

        printf("| `%s` | %.2f | %s |\n", row->name, row->heat_ratio, row->help);
    }
}

static void print_sinks(void)
{
    puts("\n## Sinks and backups\n\n"
         "| sink | coldest useful supply °C | a template's lift where the loop is colder | source "
         "|\n|---|---|---|---|");
    for (size_t i = 0; hs_catalogue_sink_words[i] != NULL; i++) {
        const struct hs_catalogue_sink *row = hs_catalogue_find_sink(hs_catalogue_sink_words[i]);

        printf("| `%s` | %.0f | `%s` | %s |\n", row->name, row->supply_min_c, row->lift,
               row->source);
    }
    puts("\n| backup | efficiency | g CO2 per kWh of fuel | source |\n|---|---|---|---|");
    for (size_t i = 0; hs_catalogue_backup_words[i] != NULL; i++) {
        const struct hs_catalogue_backup *row =
            hs_catalogue_find_backup(hs_catalogue_backup_words[i]);

        if (strcmp(row->name, hs_catalogue_backup_words[i]) != 0) {
            continue; /* another word for a row that is printed already */
        }
        if (isnan(row->gco2_per_kwh)) {
            printf("| `%s` | %.2f | | %s |\n", row->name, row->efficiency_ratio, row->source);
        } else {
            printf("| `%s` | %.2f | %.0f | %s |\n", hs_catalogue_backup_words[i],
                   row->efficiency_ratio, row->gco2_per_kwh, row->source);
        }
    }
}

int main(void)
{
    puts("<!-- Made from the tables of scheduler/model/catalogue.c by "
         "tests/support/catalogue_doc.c: change those instead. To renew: ninja -C build "
         "config-doc. -->\n\n"
         "# What is assumed\n\n"
         "hsim and hschedd take these figures where estate.json says nothing. Any field that you "
         "write wins. A source that begins with \"assumed\" is our own judgement, on the careful "
         "side. `hsim run` and the daemon's log name every assumed value of your estate, `GET "
         "/v1/sites` (`hsched sites -o json`) lists them with their sources under `assumed`. "
         "Which field takes what is in [estate.md](estate.md).\n");
    print_comparison();
    print_templates();
    print_sinks();
    return 0;
}
