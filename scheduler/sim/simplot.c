/* SPDX-License-Identifier: Apache-2.0 */
/* simplot - which quantities, which span, which file. */
#include "scheduler/sim/simplot.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/timetext.h"
#include "scheduler/sim/simbars.h"
#include "scheduler/sim/simchart.h"
#include "scheduler/sim/simoutput.h"
#include "scheduler/sim/svg.h"

#define DAY_S        86400
#define NAME_MAX_LEN 512

static int write_file(const char *folder, const char *name, const char *text, struct hs_err *err)
{
    HS_AUTO(hs_simoutput) output = NULL;
    HS_AUTO_MEM char *path = NULL;
    int rc;

    if (asprintf(&path, "%s/%s", folder, name) < 0) {
        hs_mem_exhausted();
    }
    rc = hs_simoutput_new(path, &output, err);
    return rc == 0 ? hs_simoutput_write(output, text, err) : rc;
}

/** First slot of the day, counted from the start, with the largest demand of the estate. */
static size_t find_day(const struct hs_scenario *scenario, const struct hs_simrecord *record)
{
    size_t slots = (size_t)(DAY_S / scenario->slot_s), best = 0;
    double best_sum = -1;

    for (size_t first = 0; first + slots <= record->n_slots; first += slots) {
        double sum = 0;

        for (size_t l = 0; l < record->n_loops; l++) {
            for (size_t t = first; t < first + slots; t++) {
                sum += record->demand_heat_kw[l * record->n_slots + t];
            }
        }
        if (sum > best_sum) {
            best_sum = sum;
            best = first;
        }
    }
    return best;
}

static struct hs_simchart_panel make_panel(const char *title, double height, double most,
                                           struct hs_simchart_series series)
{
    return (struct hs_simchart_panel){
        .title = title, .height = height, .most = most, .series = {series}, .n_series = 1};
}

/** @param price [n_slots] cur/MWh */
static struct hs_simchart make_chart(const struct hs_simrun *run, const struct hs_simrecord *record,
                                     size_t loop_idx, size_t first, size_t n,
                                     const char *price_title)
{
    const struct hs_heatloop *loop = &run->scenario->estate->loops[loop_idx];
    size_t at = loop_idx * record->n_slots + first;
    const double *price = run->trace->elec_cur_per_mwh + loop->site_idx * record->n_slots + first;
    struct hs_simchart chart = {
        .from_at_s = run->scenario->start_at_s + (int64_t)first * run->scenario->slot_s,
        .slot_s = run->scenario->slot_s,
        .n = n,
    };

    chart.panels[chart.n_panels] =
        make_panel("Heat, kW", 190, (double)NAN,
                   (struct hs_simchart_series){"useful heat", HS_SVG_ORANGE,
                                               record->useful_heat_kw + at, .is_area = true});
    chart.panels[chart.n_panels].series[1] =
        (struct hs_simchart_series){"demand", HS_SVG_BLACK, record->demand_heat_kw + at, false};
    chart.panels[chart.n_panels++].n_series = 2;
    if (hs_tank_max_wh(&loop->tank) > 0) {
        chart.panels[chart.n_panels++] = make_panel(
            "Heat in the tank, % of full", 90, 100,
            (struct hs_simchart_series){"tank", HS_SVG_GREEN, record->tank_percent + at, false});
    }
    chart.panels[chart.n_panels++] = make_panel(
        "IT power, kW", 110, (double)NAN,
        (struct hs_simchart_series){"IT power", HS_SVG_BLUE, record->it_elec_kw + at, false});
    chart.panels[chart.n_panels++] =
        make_panel(price_title, 110, (double)NAN,
                   (struct hs_simchart_series){"price", HS_SVG_PURPLE, price, false});
    return chart;
}

static int write_chart(const char *folder, const char *controller, const struct hs_heatloop *loop,
                       const char *kind, struct hs_simchart *chart, const char *subtitle,
                       struct hs_err *err)
{
    char title[NAME_MAX_LEN], name[NAME_MAX_LEN];
    HS_AUTO_MEM char *text = NULL;

    snprintf(title, sizeof(title), "%s on %s", controller, loop->path);
    snprintf(name, sizeof(name), "%s-%s-%s.svg", controller, loop->path, kind);
    for (char *slash = name; (slash = strchr(slash, '/')) != NULL;) {
        *slash = '-';
    }
    chart->title = title;
    chart->subtitle = subtitle;
    text = hs_simchart_format(chart);
    return write_file(folder, name, text, err);
}

int hs_simplot_write_loops(const char *folder, const char *controller, const struct hs_simrun *run,
                           const struct hs_simrecord *record, struct hs_err *err)
{
    const struct hs_scenario *scenario = run->scenario;
    const struct hs_estate *estate = scenario->estate;
    size_t first = find_day(scenario, record), day_slots = (size_t)(DAY_S / scenario->slot_s);
    char price_title[64], at[HS_TIMETEXT_MAX], day_text[128], span_text[128];
    double days = (double)record->n_slots * (double)scenario->slot_s / DAY_S;
    int rc = 0;

    day_slots = day_slots < record->n_slots ? day_slots : record->n_slots;
    snprintf(price_title, sizeof(price_title), "Electricity%s, %s/MWh",
             estate->carbon_price_cur_per_t > 0 ? " with its carbon price" : "", estate->currency);
    hs_timetext_format(scenario->start_at_s + (int64_t)first * scenario->slot_s, at);
    snprintf(day_text, sizeof(day_text), "%.10s, the day with the largest demand of the estate",
             at);
    hs_timetext_format(scenario->start_at_s, at);
    snprintf(span_text, sizeof(span_text), "%g day%s from %.10s", days, days == 1 ? "" : "s", at);
    for (size_t l = 0; l < estate->n_loops && rc == 0; l++) {
        struct hs_simchart day = make_chart(run, record, l, first, day_slots, price_title);
        struct hs_simchart span = make_chart(run, record, l, 0, record->n_slots, price_title);

        rc = write_chart(folder, controller, &estate->loops[l], "day", &day, day_text, err);
        if (rc == 0) {
            rc = write_chart(folder, controller, &estate->loops[l], "span", &span, span_text, err);
        }
    }
    return rc;
}

int hs_simplot_write_compare(const char *folder, const json_t *report, struct hs_err *err)
{
    HS_AUTO_MEM char *text = hs_simbars_format(report);

    return write_file(folder, "compare.svg", text, err);
}
