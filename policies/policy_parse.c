/* SPDX-License-Identifier: Apache-2.0 */
/* policy_parse - one file of policies.d on top of a policy. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policies/limit_parse.h"
#include "policies/policy.h"
#include "scheduler/base/mem.h"

#define POINTER_MAX 300
#define LATER       " (checked now, takes effect in a later version)"

static const char *const api_words[] = {"hsched.policy/v1", NULL};
static const char *const base_words[] = {"pinned",  "movable", "deferrable",
                                         "elastic", "filler",  NULL};
static const char *const stall_words[] = {"abort", NULL};

/* A class as read; the base comes as a word. */
struct class_row {
    struct hs_policy_class row;
    char base[HS_NAME_MAX];
};

static const struct hs_conf_field class_fields[] = {
    {.name = "base",
     .type = HS_CONF_WORD,
     .offset = offsetof(struct class_row, base),
     .size = HS_NAME_MAX,
     .words = base_words,
     .help = "how its work may be treated; may be left out for a base class itself"},
    {.name = "priority",
     .type = HS_CONF_INT,
     .offset = offsetof(struct class_row, row.priority),
     .min = -1000,
     .max = 1000,
     .has_default = true,
     .help = "higher goes first"},
    {.name = "max_moves_per_day",
     .type = HS_CONF_INT,
     .offset = offsetof(struct class_row, row.max_moves_per_day),
     .min = 0,
     .max = 1000,
     .help = "most moves of one job in a day, evenly spread; 4 of a movable one's, 24 of another's "
             "that may be moved"},
    {.name = "ceiling_cur_per_mwh",
     .type = HS_CONF_REAL,
     .offset = offsetof(struct class_row, row.ceiling_cur_per_mwh),
     .min = -1e6,
     .max = 1e6,
     .unit = "cur/MWh",
     .has_default = true,
     .help = "of filler: runs only where its electricity, less the worth of its heat, costs less"},
    {.name = "min_share",
     .type = HS_CONF_REAL,
     .offset = offsetof(struct class_row, row.min_share),
     .min = 0.25,
     .max = 1,
     .help = "of elastic: least of their vCPUs' time that its jobs bear, in quarters; else 0.25"},
    {.name = "max_share",
     .type = HS_CONF_REAL,
     .offset = offsetof(struct class_row, row.max_share),
     .min = 0.25,
     .max = 1,
     .help = "of elastic: most of their vCPUs' time that its jobs are given; else 1"},
    {.name = "min_run",
     .type = HS_CONF_DURATION,
     .offset = offsetof(struct class_row, row.min_run_s),
     .min = 0,
     .max = 31536000,
     .has_default = true,
     .help = "shortest run between suspensions"},
    {.name = "max_wait",
     .type = HS_CONF_DURATION,
     .offset = offsetof(struct class_row, row.max_wait_s),
     .min = 0,
     .max = 31536000,
     .has_default = true,
     .help = "longest wait for a start; 0s leaves it to the job's due time"},
    {.name = "teams", .type = HS_CONF_CHILDREN, .help = "teams that may use it" LATER},
};
static const struct hs_conf_table class_table = {"class", class_fields,
                                                 sizeof(class_fields) / sizeof(class_fields[0])};

static const struct hs_conf_field weights_fields[] = {
    {.name = "heat",
     .type = HS_CONF_REAL,
     .offset = offsetof(struct hs_policy, heat_weight),
     .min = 0,
     .max = 1000,
     .help = "of the worth of useful heat; 1 at first"},
    {.name = "electricity",
     .type = HS_CONF_REAL,
     .offset = offsetof(struct hs_policy, electricity_weight),
     .min = 0,
     .max = 1000,
     .help = "of the price of electricity; 1 at first"},
    {.name = "carbon",
     .type = HS_CONF_REAL,
     .offset = offsetof(struct hs_policy, carbon_weight),
     .min = 0,
     .max = 1000,
     .help = "of the carbon price; 1 at first"},
    {.name = "waiting",
     .type = HS_CONF_REAL,
     .offset = offsetof(struct hs_policy, waiting_weight),
     .min = 0,
     .max = 1000,
     .unit = "ratio",
     .help = "share of its electricity that a job's waiting for a day counts as; 0.01 at first"},
};
static const struct hs_conf_table weights_table = {
    "weights", weights_fields, sizeof(weights_fields) / sizeof(weights_fields[0])};

static const struct hs_conf_field prices_fields[] = {
    {.name = "late_cur_per_h",
     .type = HS_CONF_REAL,
     .offset = offsetof(struct hs_policy, prices.late_cur_per_h),
     .min = 0,
     .max = 1e9,
     .unit = "cur/h",
     .help = "of an hour that a job ends after its due time; 10 at first"},
    {.name = "comfort_cur_per_mwh_h",
     .type = HS_CONF_REAL,
     .offset = offsetof(struct hs_policy, prices.comfort_cur_per_mwh_h),
     .min = 0,
     .max = 1e9,
     .unit = "cur/(MWh h)",
     .help = "of an hour that a tank holds a MWh less than comfort asks for; 100 at first"},
    {.name = "hygiene_cur_per_h",
     .type = HS_CONF_REAL,
     .offset = offsetof(struct hs_policy, prices.hygiene_cur_per_h),
     .min = 0,
     .max = 1e9,
     .unit = "cur/h",
     .help = "of an hour that a tank's hygiene is overdue; 5 at first"},
    {.name = "limit_cur_per_kwh",
     .type = HS_CONF_REAL,
     .offset = offsetof(struct hs_policy, prices.limit_cur_per_kwh),
     .min = 0,
     .max = 1e9,
     .unit = "cur/kWh",
     .help = "of a kWh over a limit, by what may not be stopped; 1 at first"},
    {.name = "ramp_cur_per_kw",
     .type = HS_CONF_REAL,
     .offset = offsetof(struct hs_policy, prices.ramp_cur_per_kw),
     .min = 0,
     .max = 1e9,
     .unit = "cur/kW",
     .help = "of a kW that heat changes by in a slot more than its cooling can follow; 0.1 at "
             "first"},
};
static const struct hs_conf_table prices_table = {"breach prices", prices_fields,
                                                  sizeof(prices_fields) / sizeof(prices_fields[0])};

static const struct hs_conf_field migration_fields[] = {
    {.name = "parallel_per_host",
     .type = HS_CONF_INT,
     .offset = offsetof(struct hs_policy, migration.parallel_per_host),
     .min = 1,
     .max = 64,
     .help = "moves from or to one host at a time; 2 at first"},
    {.name = "bandwidth_mib_per_s",
     .type = HS_CONF_REAL,
     .offset = offsetof(struct hs_policy, migration.bandwidth_mib_per_s),
     .min = 0.1,
     .max = 1e6,
     .unit = "MiB/s",
     .help = "of one move; as fast as it goes at first"},
    {.name = "downtime_ms",
     .type = HS_CONF_CHILDREN,
     .help = "list of downtimes to try in turn, ms" LATER},
    {.name = "on_stall",
     .type = HS_CONF_WORD,
     .words = stall_words,
     .help = "what to do with a move that does not end: it is broken off and stays where it was"},
};
static const struct hs_conf_table migration_table = {
    "migration", migration_fields, sizeof(migration_fields) / sizeof(migration_fields[0])};

struct team_read {
    double share;
    uint32_t max_running_vcpus;
};

static const struct hs_conf_field team_fields[] = {
    {.name = "share",
     .type = HS_CONF_REAL,
     .offset = offsetof(struct team_read, share),
     .min = 0,
     .max = 1e6,
     .help = "weight against other teams"},
    {.name = "max_running_vcpus",
     .type = HS_CONF_UINT32,
     .offset = offsetof(struct team_read, max_running_vcpus),
     .help = "most vCPUs running at a time"},
};
static const struct hs_conf_table team_table = {"team", team_fields,
                                                sizeof(team_fields) / sizeof(team_fields[0])};

static const struct hs_conf_field fields[] = {
    {.name = "api",
     .type = HS_CONF_WORD,
     .words = api_words,
     .default_text = "hsched.policy/v1",
     .help = "version of this format"},
    {.name = "name", .type = HS_CONF_NAME, .help = "name of the policy, for people"},
    {.name = "classes",
     .type = HS_CONF_CHILDREN,
     .table = &class_table,
     .help = "classes of work by name"},
    {.name = "weights",
     .type = HS_CONF_OBJECT,
     .table = &weights_table,
     .present_offset = SIZE_MAX,
     .help = "of each part of the cost, in decisions only"},
    {.name = "limits",
     .type = HS_CONF_CHILDREN,
     .table = &hs_limit_table,
     .help = "list of electricity limits by the clock and the season; those of all files hold"},
    {.name = "breach_prices",
     .type = HS_CONF_OBJECT,
     .table = &prices_table,
     .present_offset = SIZE_MAX,
     .help = "what each soft rule costs where it has to give way"},
    {.name = "migration",
     .type = HS_CONF_OBJECT,
     .table = &migration_table,
     .present_offset = SIZE_MAX,
     .help = "how running machines are moved"},
    {.name = "teams",
     .type = HS_CONF_CHILDREN,
     .table = &team_table,
     .help = "shares by team name" LATER},
};
const struct hs_conf_table hs_policy_table = {"policy", fields, sizeof(fields) / sizeof(fields[0])};

static void check_list(const json_t *value, const char *pointer, const char *what, bool of_texts,
                       struct hs_conf_report *report)
{
    size_t i;
    json_t *item;

    if (value != NULL && !json_is_null(value) && !json_is_array(value)) {
        hs_conf_report_add(report, pointer, "must be a list of %s in square brackets", what);
    }
    json_array_foreach (value, i, item) {
        if (of_texts ? !json_is_string(item) : !(json_number_value(item) > 0)) {
            char where[POINTER_MAX];

            snprintf(where, sizeof(where), "%.250s/%zu", pointer, i);
            hs_conf_report_add(report, where, "must be one of %s", what);
        }
    }
}

/* The class of @row's name is replaced where there is one, else added. */
static void put_class(struct hs_policy *policy, const struct hs_policy_class *row)
{
    for (size_t i = 0; i < policy->n_classes; i++) {
        if (strcmp(policy->classes[i].name, row->name) == 0) {
            policy->classes[i] = *row;
            return;
        }
    }
    policy->classes = hs_xrealloc(policy->classes, policy->n_classes + 1, sizeof(*policy->classes));
    policy->classes[policy->n_classes++] = *row;
}

/* True and *ret_base if @word is a base class. */
static bool find_base(const char *word, enum hs_job_class *ret_base)
{
    for (int i = 0; base_words[i] != NULL; i++) {
        if (strcmp(base_words[i], word) == 0) {
            *ret_base = (enum hs_job_class)i;
            return true;
        }
    }
    return false;
}

/* What the file leaves open is as in a class of that base without a word of its own. */
static void fill_class(struct hs_policy_class *row)
{
    struct hs_policy_class plain;

    hs_policy_init_class(row->base, &plain);
    row->max_moves_per_day =
        row->max_moves_per_day >= 0 ? row->max_moves_per_day : plain.max_moves_per_day;
    row->min_share = row->min_share > 0 ? row->min_share : plain.min_share;
    row->max_share = row->max_share > 0 ? row->max_share : plain.max_share;
}

static bool check_shares(const struct hs_policy_class *row, const char *pointer,
                         struct hs_conf_report *report)
{
    if (row->base != HS_CLASS_ELASTIC && (row->min_share > 0 || row->max_share > 0)) {
        hs_conf_report_add(report, pointer,
                           "'min_share' and 'max_share' are of elastic classes, this one is %s",
                           hs_job_class_word(row->base));
        return false;
    }
    if (hs_policy_get_least_quarters(row->min_share)
        > hs_policy_get_most_quarters(row->max_share)) {
        hs_conf_report_add(report, pointer,
                           "shares are given in quarters, and there is none from min_share %g to "
                           "max_share %g",
                           row->min_share, row->max_share);
        return false;
    }
    return true;
}

static bool resolve_base(struct class_row *read, const char *pointer, struct hs_conf_report *report)
{
    enum hs_job_class own;
    bool is_base = find_base(read->row.name, &own);
    bool is_given = find_base(read->base, &read->row.base);

    if (!is_given && !is_base) {
        hs_conf_report_add(report, pointer,
                           "'base' is missing: pinned, movable, deferrable, elastic or filler");
        return false;
    }
    if (is_given && is_base && own != read->row.base) {
        hs_conf_report_add(report, pointer, "'%s' is a base class and cannot be based on '%s'",
                           read->row.name, read->base);
        return false;
    }
    read->row.base = is_base ? own : read->row.base;
    fill_class(&read->row);
    return check_shares(&read->row, pointer, report);
}

static void read_class(struct hs_policy *policy, const char *name, const json_t *value,
                       struct hs_conf_report *report)
{
    struct class_row read = {.row.max_moves_per_day = -1};
    char where[POINTER_MAX];
    char below[POINTER_MAX];

    snprintf(where, sizeof(where), "/classes/%.200s", name);
    if (*name == '\0' || strlen(name) >= HS_NAME_MAX || strpbrk(name, "/ \t\n") != NULL) {
        hs_conf_report_add(report, where, "'%.64s' is not a name of a class", name);
        return;
    }
    snprintf(read.row.name, sizeof(read.row.name), "%s", name);
    if (!hs_conf_read(&class_table, value, where, &read, report)) {
        return;
    }
    snprintf(below, sizeof(below), "%.250s/teams", where);
    check_list(json_object_get(value, "teams"), below, "team names", true, report);
    if (resolve_base(&read, where, report)) {
        put_class(policy, &read.row);
    }
}

static void read_classes(struct hs_policy *policy, const json_t *object,
                         struct hs_conf_report *report)
{
    json_t *classes = json_object_get(object, "classes");
    const char *key;
    json_t *value;

    if (json_is_array(classes)) {
        hs_conf_report_add(report, "/classes", "must be an object: {\"NAME\": {…}}");
    }
    json_object_foreach (classes, key, value) {
        read_class(policy, key, value, report);
    }
}

static void read_limits(struct hs_policy *policy, const json_t *object,
                        struct hs_conf_report *report)
{
    const json_t *limits = json_object_get(object, "limits");
    size_t i;
    json_t *item;

    if (json_is_object(limits)) {
        hs_conf_report_add(report, "/limits", "must be a list in square brackets");
    }
    json_array_foreach (limits, i, item) {
        struct hs_limit limit;
        char where[POINTER_MAX];

        snprintf(where, sizeof(where), "/limits/%zu", i);
        if (hs_limit_parse_item(item, where, &limit, report)) {
            policy->limits =
                hs_xrealloc(policy->limits, policy->n_limits + 1, sizeof(*policy->limits));
            policy->limits[policy->n_limits++] = limit;
        }
    }
}

static void check_migration(const json_t *object, struct hs_conf_report *report)
{
    const json_t *migration = json_object_get(object, "migration");

    if (json_is_object(migration)) {
        check_list(json_object_get(migration, "downtime_ms"), "/migration/downtime_ms",
                   "milliseconds above 0", false, report);
    }
}

static void check_teams(const json_t *object, struct hs_conf_report *report)
{
    json_t *teams = json_object_get(object, "teams");
    const char *key;
    json_t *value;

    if (json_is_array(teams)) {
        hs_conf_report_add(report, "/teams", "must be an object: {\"NAME\": {…}}");
    }
    json_object_foreach (teams, key, value) {
        struct team_read ignored;
        char where[POINTER_MAX];

        snprintf(where, sizeof(where), "/teams/%.200s", key);
        (void)hs_conf_read(&team_table, value, where, &ignored, report);
    }
}

static struct hs_policy *dup_policy(const struct hs_policy *policy)
{
    struct hs_policy *copy = hs_xcalloc(1, sizeof(*copy));

    *copy = *policy;
    copy->classes = hs_xcalloc(policy->n_classes, sizeof(*copy->classes));
    memcpy(copy->classes, policy->classes, policy->n_classes * sizeof(*copy->classes));
    copy->limits = hs_xcalloc(policy->n_limits, sizeof(*copy->limits));
    if (policy->n_limits > 0) {
        memcpy(copy->limits, policy->limits, policy->n_limits * sizeof(*copy->limits));
    }
    return copy;
}

int hs_policy_parse(struct hs_policy *policy, const char *file, const char *text,
                    struct hs_conf_report *report)
{
    HS_AUTO(hs_policy) draft = dup_policy(policy);
    json_auto_t *json = NULL;
    size_t n_errors_before = report->n_errors;
    struct hs_policy old;
    int rc = hs_conf_parse(file, text, report, &json);

    if (rc != 0) {
        return rc;
    }
    (void)hs_conf_read(&hs_policy_table, json, "", draft, report);
    read_classes(draft, json, report);
    read_limits(draft, json, report);
    check_migration(json, report);
    check_teams(json, report);
    if (report->n_errors > n_errors_before) {
        return -HS_E_INVALID;
    }
    old = *policy; /* the draft leaves with the old contents and frees them */
    *policy = *draft;
    *draft = old;
    return 0;
}
