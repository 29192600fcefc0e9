/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/jobview.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ctl/say.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/timetext.h"

static const struct hs_table_column columns[] = {
    {"ID", "id", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"NAME", "name", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS | HS_TABLE_CUTS},
    {"STATE", "state", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"TEAM", "team", NULL, HS_RENDER_TEXT, HS_TABLE_EXTRA},
    {"CLASS", "class", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"VCPUS", "vcpus", NULL, HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"MEMORY", "memory_mib", NULL, HS_RENDER_MEMORY, HS_TABLE_EXTRA},
    {"SPAN", "duration_s", NULL, HS_RENDER_DURATION, HS_TABLE_ALWAYS},
    {"SUBMITTED", "submitted", NULL, HS_RENDER_AT, HS_TABLE_EXTRA},
    {"START", "started", "planned_start", HS_RENDER_AT, HS_TABLE_ALWAYS},
    {"END", "ended", "planned_end", HS_RENDER_AT, HS_TABLE_EXTRA},
    {"DUE", "due", NULL, HS_RENDER_AT, HS_TABLE_ALWAYS},
    {"HOST", "host", "planned_host", HS_RENDER_TEXT, HS_TABLE_ALWAYS},
    {"", "planned_start", NULL, HS_RENDER_AT, HS_TABLE_IN_CSV},
    {"", "planned_end", NULL, HS_RENDER_AT, HS_TABLE_IN_CSV},
    {"", "planned_host", NULL, HS_RENDER_TEXT, HS_TABLE_IN_CSV},
    {"RAN", "ran_s", NULL, HS_RENDER_DURATION, HS_TABLE_EXTRA},
    {"EXIT", "exit_status", NULL, HS_RENDER_TEXT, HS_TABLE_EXTRA},
    {"WHY", "why", "cannot_meet", HS_RENDER_TEXT, HS_TABLE_EXTRA},
    {"", "cannot_meet", NULL, HS_RENDER_TEXT, HS_TABLE_IN_CSV},
};

const struct hs_table hs_jobview_table = {
    .name_key = "id",
    .none = "no jobs",
    .columns = columns,
    .n_columns = sizeof(columns) / sizeof(columns[0]),
};

static const struct hs_table_column lines[] = {
    {"Job", "id", NULL, HS_RENDER_TEXT, 0},
    {"Name", "name", NULL, HS_RENDER_TEXT, 0},
    {"State", "state", NULL, HS_RENDER_TEXT, 0},
    {"Why", "why", "cannot_meet", HS_RENDER_TEXT, 0},
    {"Because", "reasons.0.text", NULL, HS_RENDER_TEXT, 0},
    {"Team", "team", NULL, HS_RENDER_TEXT, 0},
    {"Class", "class", NULL, HS_RENDER_TEXT, 0},
    {"Priority", "priority", NULL, HS_RENDER_TEXT, 0},
    {"Image", "image", NULL, HS_RENDER_TEXT, 0},
    {"vCPUs", "vcpus", NULL, HS_RENDER_TEXT, 0},
    {"Memory", "memory_mib", NULL, HS_RENDER_MEMORY, 0},
    {"Duration", "duration_s", NULL, HS_RENDER_DURATION, 0},
    {"Limit", "limit_s", NULL, HS_RENDER_DURATION, 0},
    {"Interruptible", "interruptible", NULL, HS_RENDER_YES, 0},
    {"Movable", "movable", NULL, HS_RENDER_YES, 0},
    {"Shortest run", "min_run_s", NULL, HS_RENDER_DURATION, 0},
    {"Least share", "min_share", NULL, HS_RENDER_PERCENT, 0},
    {"Most share", "max_share", NULL, HS_RENDER_PERCENT, 0},
    {"At once", "now", NULL, HS_RENDER_YES, 0},
    {"After", "after", NULL, HS_RENDER_TEXT, 0},
    {"Only sites", "sites", NULL, HS_RENDER_TEXT, 0},
    {"Never sites", "not_sites", NULL, HS_RENDER_TEXT, 0},
    {"Environment", "env", NULL, HS_RENDER_TEXT, 0},
    {"Submitted", "submitted", NULL, HS_RENDER_AT, 0},
    {"Earliest", "earliest", NULL, HS_RENDER_AT, 0},
    {"Start", "started", "planned_start", HS_RENDER_AT, 0},
    {"End", "ended", "planned_end", HS_RENDER_AT, 0},
    {"Due", "due", NULL, HS_RENDER_AT, 0},
    {"Host", "host", "planned_host", HS_RENDER_TEXT, 0},
    {"Ran", "ran_s", NULL, HS_RENDER_DURATION, 0},
    {"Share", "share", NULL, HS_RENDER_PERCENT, 0},
    {"Suspended", "suspends", NULL, HS_RENDER_TEXT, 0},
    {"Moved", "moves", NULL, HS_RENDER_TEXT, 0},
    {"Exit status", "exit_status", NULL, HS_RENDER_TEXT, 0},
};

const struct hs_table hs_jobview_thing = {
    .name_key = "id",
    .columns = lines,
    .n_columns = sizeof(lines) / sizeof(lines[0]),
};

void hs_jobview_print(enum hs_table_format format, const json_t *job)
{
    json_auto_t *items = NULL;

    if (format == HS_TABLE_TABLE || format == HS_TABLE_WIDE) {
        hs_table_print_thing(&hs_jobview_thing, job, hs_table_get_currency(job));
        return;
    }
    items = hs_table_wrap(job);
    hs_table_print(&hs_jobview_table, format, job, items);
}

static char *text_at(const json_t *thing, const char *key, int64_t now_at_s)
{
    return hs_render_value(hs_render_find(thing, key), HS_RENDER_AT, now_at_s);
}

static void explain_window(FILE *out, const json_t *it, int64_t now_at_s, bool is_waiting)
{
    HS_AUTO_MEM char *start = text_at(it, "planned_start", now_at_s);
    HS_AUTO_MEM char *end = text_at(it, "planned_end", now_at_s);
    HS_AUTO_MEM char *due = text_at(it, "due", now_at_s);
    HS_AUTO_MEM char *latest = text_at(it, "latest_start", now_at_s);
    const char *host = hs_render_find_text(it, "planned_host");

    if (hs_render_find(it, "planned_start") != NULL) {
        fprintf(out, "%-10s%s to %s on %s\n", is_waiting ? "planned" : "runs", start, end,
                host != NULL ? host : "any host");
    }
    if (is_waiting && hs_render_find(it, "latest_start") != NULL) {
        if (hs_render_find(it, "due") != NULL) {
            fprintf(out, "latest    start by %s to be done by %s\n", latest, due);
        } else {
            fprintf(out, "latest    start by %s, as long as its class may wait\n", latest);
        }
    }
}

/** "run       about 35m, one in ten over 2h: 37 ended jobs of its team; 4h was asked for". */
static void explain_run(FILE *out, const json_t *it)
{
    const char *from = hs_render_find_text(it, "expected_run_from");
    double expected_s = hs_render_find_real(it, "expected_run_s");
    double upper_s = hs_render_find_real(it, "upper_run_s");
    char expected[HS_TIMETEXT_MAX];
    char upper[HS_TIMETEXT_MAX];

    if (from == NULL || !(expected_s >= 0 && expected_s < 1e12) || !(upper_s < 1e12)) {
        return;
    }
    hs_timetext_format_duration((int64_t)expected_s, expected);
    hs_timetext_format_duration((int64_t)upper_s, upper);
    fprintf(out, "run       about %s, one in ten over %s: %s\n", expected, upper, from);
}

/** "heat      now 12.0 EUR/MWh, planned 71.9 EUR/MWh", the second part if there is one. */
static void explain_price(FILE *out, const json_t *it, const char *word, const char *now_key,
                          const char *planned_key, const char *currency, const char *place,
                          const char *then)
{
    double now = hs_render_find_real(it, now_key);
    double planned = then != NULL ? hs_render_find_real(it, planned_key) : NAN;

    if (isnan(now) && isnan(planned)) {
        return;
    }
    fprintf(out, "%-10s", word);
    if (!isnan(now)) {
        fprintf(out, "now %.1f %s/MWh%s", now, currency, isnan(planned) ? "" : ", ");
    }
    if (!isnan(planned)) {
        fprintf(out, "%s %.1f %s/MWh", then, planned, currency);
    }
    fprintf(out, "%s%s\n", place != NULL ? " at " : "", place != NULL ? place : "");
}

static void explain_cost(FILE *out, const json_t *it, const char *currency)
{
    HS_AUTO_MEM char *now = hs_render_value(hs_render_find(it, "cost_now_cur"), HS_RENDER_MONEY, 0);
    HS_AUTO_MEM char *planned =
        hs_render_value(hs_render_find(it, "cost_planned_cur"), HS_RENDER_MONEY, 0);
    HS_AUTO_MEM char *saving =
        hs_render_value(hs_render_find(it, "saving_cur"), HS_RENDER_MONEY, 0);

    if (strcmp(planned, "-") != 0) {
        fprintf(out, "cost      %s %s", planned, currency);
        if (strcmp(now, "-") != 0) {
            fprintf(out, ", started now %s %s", now, currency);
        }
        if (hs_render_find_real(it, "saving_cur") > 0 && strcmp(planned, now) != 0) {
            fprintf(out, ": waiting saves %s %s", saving, currency);
        }
        fputc('\n', out);
    }
}

/** "1.23 EUR" of a cost or its difference, without sign. Owned by the caller. */
static char *money_at(const json_t *it, const char *key, const char *currency)
{
    HS_AUTO_MEM char *money = hs_render_number(fabs(hs_render_find_real(it, key)), HS_RENDER_MONEY);

    return hs_say_format("%s %s", money, currency);
}

/** What a MWh and the whole job cost after its heat is paid for. */
static void explain_net(FILE *out, const json_t *it, const char *currency, const char *then)
{
    double capture_ratio = hs_render_find_real(it, "capture_ratio");
    double elec_cur = hs_render_find_real(it, "electricity_cur");
    double heat_cur = hs_render_find_real(it, "heat_cur");

    if (isnan(capture_ratio)) {
        return;
    }
    explain_price(out, it, "net", "net_now_cur_per_mwh", "net_planned_cur_per_mwh", currency, NULL,
                  then);
    if (!isnan(elec_cur) && !isnan(heat_cur)) {
        HS_AUTO_MEM char *elec = money_at(it, "electricity_cur", currency);
        HS_AUTO_MEM char *heat = money_at(it, "heat_cur", currency);

        fprintf(out,
                "%-10selectricity %s%s, less heat worth %s%s (%.0f%% of its power is captured)\n",
                "job", elec_cur < 0 ? "-" : "", elec, heat_cur < 0 ? "-" : "", heat,
                100.0 * capture_ratio);
    }
}

/** "next best Mon 12:30Z on pool/h2: 0.012 EUR more": the cheapest of the other places. */
static void explain_alternative(FILE *out, const json_t *it, const char *currency, int64_t now_at_s)
{
    const json_t *best = json_array_get(json_object_get(it, "alternatives"), 0);
    const char *host = hs_render_find_text(best, "host");
    double extra_cur = hs_render_find_real(best, "extra_cur");

    if (host == NULL || isnan(extra_cur)) {
        return;
    }
    HS_AUTO_MEM char *start = text_at(best, "start", now_at_s);
    HS_AUTO_MEM char *extra = money_at(best, "extra_cur", currency);

    fprintf(out, "next best %s on %s: %s %s\n", start, host, extra,
            extra_cur < 0 ? "less" : "more");
}

/** What binds it, each with what would come of it were it otherwise. */
static void explain_constraints(FILE *out, const json_t *it)
{
    const json_t *constraints = json_object_get(it, "constraints");
    const json_t *changes = json_object_get(it, "changes");

    for (size_t i = 0; i < json_array_size(constraints); i++) {
        const char *text = hs_render_find_text(json_array_get(constraints, i), "text");
        const char *change = hs_render_find_text(json_array_get(constraints, i), "change");

        if (text != NULL && change != NULL) {
            fprintf(out, "bound by  %s\n          %s\n", text, change);
        }
    }
    for (size_t i = 0; i < json_array_size(changes); i++) {
        const char *text = hs_render_find_text(json_array_get(changes, i), "text");

        if (text != NULL) {
            fprintf(out, "change    %s\n", text);
        }
    }
}

/** What would change it, each once: several reasons often have the same way out. */
static void explain_changes(FILE *out, const json_t *reasons)
{
    for (size_t i = 0; i < json_array_size(reasons); i++) {
        const char *change = hs_render_find_text(json_array_get(reasons, i), "change");
        bool is_new = change != NULL;

        for (size_t j = 0; is_new && j < i; j++) {
            const char *earlier = hs_render_find_text(json_array_get(reasons, j), "change");

            is_new = earlier == NULL || strcmp(earlier, change) != 0;
        }
        if (is_new) {
            fprintf(out, "%-10s%s\n", i == 0 ? "unless" : "or", change);
        }
    }
}

void hs_jobview_explain(FILE *out, const json_t *it, const json_t *answer)
{
    int64_t now_at_s = hs_render_find_now(answer);
    const char *currency =
        hs_table_get_currency(hs_render_find_text(it, "currency") != NULL ? it : answer);
    const char *text = hs_render_find_text(it, "text");
    const json_t *reasons = json_object_get(it, "reasons");
    const char *state = hs_render_find_text(it, "state");
    bool is_waiting = state != NULL && strcmp(state, "waiting") == 0;
    bool is_suspended = state != NULL && strcmp(state, "suspended") == 0;
    const char *then = is_waiting     ? "at the planned start"
                       : is_suspended ? "when it goes on"
                                      : NULL;

    if (text != NULL) {
        fprintf(out, "%s\n", text);
    }
    for (size_t i = 0; i < json_array_size(reasons); i++) {
        const char *reason = hs_render_find_text(json_array_get(reasons, i), "text");

        if (reason != NULL && (text == NULL || strcmp(reason, text) != 0)) {
            fprintf(out, "%-10s%s\n", i == 0 ? "because" : "and", reason);
        }
    }
    explain_window(out, it, now_at_s, is_waiting);
    explain_run(out, it);
    explain_price(out, it, "heat", "heat_price_now_cur_per_mwh", "heat_price_planned_cur_per_mwh",
                  currency, hs_render_find_text(it, "loop"), then);
    explain_price(out, it, "power", "electricity_now_cur_per_mwh",
                  "electricity_planned_cur_per_mwh", currency, NULL, then);
    explain_net(out, it, currency, then);
    if (is_waiting) {
        explain_cost(out, it, currency);
    }
    explain_alternative(out, it, currency, now_at_s);
    explain_constraints(out, it);
    explain_changes(out, reasons);
}
