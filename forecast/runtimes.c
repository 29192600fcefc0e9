/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtimes - groups of jobs, each with the spread of its runs and those that still run.
 *
 * A prediction goes from the widest group to the narrowest: the spread so far weighs as `lean`
 * ended jobs beside the group's own. Groups of many requests keep run / request, groups of one
 * request keep the run itself. Without those still running only the short of a burst of equal
 * jobs would have been seen: on the shared trace their ages take a seventh off the error.
 */
#include "forecast/runtimes.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "forecast/runspread.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/packtext.h"

#define GROUPS        HS_RUNTIMES_GROUPS
#define OPEN_MAX      32 /* running jobs that a group knows */
#define HEADS         (2 * GROUPS)
#define NONE          UINT32_MAX
#define RATIO_SHIFT   16.11809565 /* ln 1e7: run / request from 1e-7 up lies on the grid */
#define LEVEL_STEP    0.002       /* how fast the quantile is calibrated */
#define UPPER_FROM    0.80
#define UPPER_TO      0.9995
#define TRUST_STEP    0.05
#define TRUST_ERROR   0.25 /* requests that are so near the runs are believed */
#define REQUEST_RATIO 0.05 /* of a spread is the request, whatever the history says */
#define ENOUGH_ENDED  3
#define MIN_AGE_S     2.0
#define STATE_VERSION 2
#define LAST_S        (INT64_C(1) << 40) /* no job runs since before or after that */

struct open_run {
    uint64_t id; /* 0: free */
    int64_t at_s;
};

struct group {
    uint64_t key;
    double n_ended;
    struct hs_runspread spread;
    struct open_run open[OPEN_MAX];
    uint32_t next_open;
    uint32_t n_judged;
    double request_error; /* mean |log error| of the request, of the newest jobs */
    double over_ratio;    /* share of them that ran longer than asked for */
};

struct hs_runtimes {
    double upper_level; /* of the spread, so that the stated share of runs is longer */
    size_t n;
    struct group *groups;   /* [GROUPS] */
    uint32_t heads[HEADS];  /* of the chains of groups by key */
    uint32_t next[GROUPS];  /* in the chain */
    uint32_t older[GROUPS]; /* by use */
    uint32_t newer[GROUPS];
    uint32_t oldest;
    uint32_t newest;
};

enum { BY_REQUEST = 1, BY_TEAM = 2, BY_VCPUS = 4, BY_MEMORY = 8, BY_NAME = 16 };

static const struct {
    unsigned fields;
    bool is_ratio;
    double memory; /* ended jobs that count */
    double lean;   /* the wider group counts as so many ended jobs */
    const char *words;
} groups[HS_RUNTIMES_N_GROUPS] = {
    [HS_RUNTIMES_ALL] = {0, true, 60, 0.5, "all jobs"},
    [HS_RUNTIMES_REQUEST] = {BY_REQUEST, false, 60, 8, "jobs that asked for as long"},
    [HS_RUNTIMES_TEAM] = {BY_TEAM, true, 2, 8, "jobs of its team"},
    [HS_RUNTIMES_TEAM_VCPUS] = {BY_TEAM | BY_VCPUS, true, 60, 5, "jobs of its team and size"},
    [HS_RUNTIMES_TEAM_REQUEST] = {BY_TEAM | BY_REQUEST, false, 3, 5,
                                  "jobs of its team that asked for as long"},
    [HS_RUNTIMES_TEAM_SIZE] = {BY_TEAM | BY_REQUEST | BY_VCPUS, false, 1.5, 5,
                               "jobs of its team and size that asked for as long"},
    [HS_RUNTIMES_TEAM_SAME] = {BY_TEAM | BY_REQUEST | BY_VCPUS | BY_MEMORY, false, 2, 5,
                               "jobs of its team that asked for the same"},
    [HS_RUNTIMES_NAME] = {BY_TEAM | BY_REQUEST | BY_VCPUS | BY_NAME, false, 3, 5,
                          "jobs of its team and name that asked for the same"},
};

/* --- keys --- */

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t n)
{
    const unsigned char *at = bytes;

    for (size_t i = 0; i < n; i++) { /* FNV-1a, draft-eastlake-fnv */
        hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static uint64_t hash_name(uint64_t hash, const char *name)
{
    for (; *name != '\0'; name++) {
        if (!isdigit((unsigned char)*name)) {
            hash = hash_bytes(hash, name, 1);
        }
    }
    return hash;
}

/* 0: the request has no such group. */
static uint64_t key_of(const struct hs_runtimes_request *request, size_t g)
{
    unsigned fields = groups[g].fields;
    int64_t requested_s = (int64_t)request->requested_s;
    uint64_t hash = UINT64_C(0xcbf29ce484222325) + g;

    if ((fields & BY_NAME) != 0 && request->name[0] == '\0') {
        return 0;
    }
    hash = hash_bytes(hash, &g, sizeof(g));
    hash = (fields & BY_TEAM) != 0 ? hash_bytes(hash, request->team, strlen(request->team)) : hash;
    hash = (fields & BY_REQUEST) != 0 ? hash_bytes(hash, &requested_s, sizeof(requested_s)) : hash;
    hash =
        (fields & BY_VCPUS) != 0 ? hash_bytes(hash, &request->vcpus, sizeof(request->vcpus)) : hash;
    hash = (fields & BY_MEMORY) != 0
               ? hash_bytes(hash, &request->memory_mib, sizeof(request->memory_mib))
               : hash;
    hash = (fields & BY_NAME) != 0 ? hash_name(hash, request->name) : hash;
    return hash != 0 ? hash : 1;
}

/* --- the table --- */

static uint32_t find(const struct hs_runtimes *runtimes, uint64_t key)
{
    uint32_t at = runtimes->heads[key % HEADS];

    while (at != NONE && runtimes->groups[at].key != key) {
        at = runtimes->next[at];
    }
    return at;
}

static void unlink_use(struct hs_runtimes *runtimes, uint32_t at)
{
    uint32_t older = runtimes->older[at];
    uint32_t newer = runtimes->newer[at];

    if (older != NONE) {
        runtimes->newer[older] = newer;
    } else {
        runtimes->oldest = newer;
    }
    if (newer != NONE) {
        runtimes->older[newer] = older;
    } else {
        runtimes->newest = older;
    }
}

static void link_newest(struct hs_runtimes *runtimes, uint32_t at)
{
    runtimes->older[at] = runtimes->newest;
    runtimes->newer[at] = NONE;
    if (runtimes->newest != NONE) {
        runtimes->newer[runtimes->newest] = at;
    } else {
        runtimes->oldest = at;
    }
    runtimes->newest = at;
}

static void unlink_key(struct hs_runtimes *runtimes, uint32_t at)
{
    uint32_t *link = &runtimes->heads[runtimes->groups[at].key % HEADS];

    while (*link != at) {
        link = &runtimes->next[*link];
    }
    *link = runtimes->next[at];
}

static struct group *add_group(struct hs_runtimes *runtimes, uint64_t key)
{
    uint32_t at = (uint32_t)runtimes->n;

    if (runtimes->n == GROUPS) {
        at = runtimes->oldest;
        unlink_use(runtimes, at);
        unlink_key(runtimes, at);
    } else {
        runtimes->n++;
    }
    runtimes->groups[at] = (struct group){.key = key};
    runtimes->next[at] = runtimes->heads[key % HEADS];
    runtimes->heads[key % HEADS] = at;
    link_newest(runtimes, at);
    return &runtimes->groups[at];
}

static struct group *touch(struct hs_runtimes *runtimes, uint64_t key)
{
    uint32_t at = find(runtimes, key);

    if (at == NONE) {
        return add_group(runtimes, key);
    }
    unlink_use(runtimes, at);
    link_newest(runtimes, at);
    return &runtimes->groups[at];
}

/* --- predicting --- */

static void take_group(const struct group *group, size_t g, double log_request, int64_t now_at_s,
                       struct hs_runspread *spread)
{
    struct hs_runspread mixed = {0};
    unsigned n_open[HS_RUNSPREAD_BINS] = {0};

    hs_runspread_blend(&mixed, spread, groups[g].lean, 0.0);
    hs_runspread_blend(&mixed, &group->spread, 1.0,
                       groups[g].is_ratio ? log_request - RATIO_SHIFT : 0.0);
    for (size_t i = 0; i < OPEN_MAX; i++) {
        double age_s = (double)(now_at_s - group->open[i].at_s);

        if (group->open[i].id != 0 && age_s >= MIN_AGE_S) {
            n_open[hs_runspread_get_bin(age_s)]++;
        }
    }
    hs_runspread_outlive(&mixed, n_open);
    hs_runspread_norm(&mixed);
    *spread = mixed;
}

/* Have requests come true? Asked of the team, of everybody while the team is new. */
static enum hs_runtimes_group find_wide(const struct hs_runtimes *runtimes,
                                        const struct hs_runtimes_request *request,
                                        const struct group **ret_group)
{
    const enum hs_runtimes_group asked[] = {HS_RUNTIMES_TEAM, HS_RUNTIMES_ALL};

    *ret_group = NULL;
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        uint32_t at = find(runtimes, key_of(request, asked[i]));

        if (at != NONE && runtimes->groups[at].n_judged >= ENOUGH_ENDED) {
            *ret_group = &runtimes->groups[at];
            return asked[i];
        }
    }
    return HS_RUNTIMES_ALL;
}

/* Where requests come true, or nothing is known. */
static bool believe_request(const struct hs_runtimes *runtimes,
                            const struct hs_runtimes_request *request, double ran_s,
                            struct hs_runtimes_run *ret_run)
{
    const struct group *wide;
    enum hs_runtimes_group group = find_wide(runtimes, request, &wide);

    if (ran_s >= request->requested_s
        || (wide != NULL
            && (wide->request_error > TRUST_ERROR || wide->over_ratio > HS_RUNTIMES_OVER_RATIO))) {
        return false;
    }
    *ret_run = (struct hs_runtimes_run){
        .expected_s = request->requested_s,
        .upper_s = request->requested_s,
        .learned_s = request->requested_s,
        .learned_upper_s = request->requested_s,
        .n_ended = wide != NULL ? wide->n_ended : 0.0,
        .group = group,
        .is_request = true,
    };
    return true;
}

/* The spread of a request's runs, from its widest group to its narrowest. */
static void gather(const struct hs_runtimes *runtimes, const struct hs_runtimes_request *request,
                   int64_t now_at_s, struct hs_runspread *ret_spread,
                   struct hs_runtimes_run *ret_run)
{
    double log_request = log(fmax(request->requested_s, 1.0));

    hs_runspread_add(ret_spread, 0.0, log_request, 1.0);
    for (size_t g = 0; g < HS_RUNTIMES_N_GROUPS; g++) {
        uint64_t key = key_of(request, g);
        uint32_t at = key != 0 ? find(runtimes, key) : NONE;

        if (at == NONE) {
            continue;
        }
        take_group(&runtimes->groups[at], g, log_request, now_at_s, ret_spread);
        if (runtimes->groups[at].n_ended >= ENOUGH_ENDED || g == HS_RUNTIMES_ALL) {
            ret_run->group = (enum hs_runtimes_group)g;
            ret_run->n_ended = runtimes->groups[at].n_ended;
        }
    }
    hs_runspread_norm(ret_spread);
    hs_runspread_add(ret_spread, 1.0 - REQUEST_RATIO, log_request, REQUEST_RATIO);
}

void hs_runtimes_predict(const struct hs_runtimes *runtimes,
                         const struct hs_runtimes_request *request, int64_t now_at_s, double ran_s,
                         struct hs_runtimes_run *ret_run)
{
    struct hs_runspread spread = {0};

    if (believe_request(runtimes, request, ran_s, ret_run)) {
        return;
    }
    *ret_run = (struct hs_runtimes_run){.group = HS_RUNTIMES_ALL};
    gather(runtimes, request, now_at_s, &spread, ret_run);
    if (ran_s > 1.0) {
        hs_runspread_cut(&spread, log(ran_s));
    }
    double log_median = hs_runspread_get_quantile(&spread, 0.5);
    double log_upper = hs_runspread_get_quantile(&spread, runtimes->upper_level);

    /* longer than any before it: nothing is known but that it goes on */
    ret_run->learned_s = fmax(isnan(log_median) ? 0.0 : exp(log_median), ran_s * 1.1);
    ret_run->learned_upper_s = fmax(isnan(log_upper) ? 0.0 : exp(log_upper), ran_s * 1.5);
    ret_run->expected_s = ret_run->learned_s;
    ret_run->upper_s = ret_run->learned_upper_s;
    if (request->limit_s > 0) {
        ret_run->expected_s = fmin(ret_run->expected_s, fmax(request->limit_s, ran_s));
        ret_run->upper_s = fmin(ret_run->upper_s, fmax(request->limit_s, ran_s));
    }
}

/* --- learning --- */

static struct open_run *find_open(struct group *group, uint64_t id)
{
    for (size_t i = 0; i < OPEN_MAX; i++) {
        if (group->open[i].id == id) {
            return &group->open[i];
        }
    }
    return NULL;
}

void hs_runtimes_start(struct hs_runtimes *runtimes, const struct hs_runtimes_request *request,
                       uint64_t id, int64_t at_s)
{
    for (size_t g = 0; g < HS_RUNTIMES_N_GROUPS; g++) {
        uint64_t key = key_of(request, g);
        struct group *group = key != 0 ? touch(runtimes, key) : NULL;

        if (group != NULL && find_open(group, id) == NULL) {
            group->open[group->next_open] = (struct open_run){.id = id, .at_s = at_s};
            group->next_open = (group->next_open + 1) % OPEN_MAX;
        }
    }
}

void hs_runtimes_drop(struct hs_runtimes *runtimes, const struct hs_runtimes_request *request,
                      uint64_t id)
{
    for (size_t g = 0; g < HS_RUNTIMES_N_GROUPS; g++) {
        uint32_t at = find(runtimes, key_of(request, g));
        struct open_run *open = at != NONE ? find_open(&runtimes->groups[at], id) : NULL;

        if (open != NULL) {
            *open = (struct open_run){0};
        }
    }
}

static void judge(struct group *group, double log_run, double log_request)
{
    double step = fmax(TRUST_STEP, 1.0 / (double)(group->n_judged + 1));

    group->n_judged += group->n_judged < UINT32_MAX;
    group->request_error += step * (fabs(log_run - log_request) - group->request_error);
    group->over_ratio += step * ((log_run > log_request + 1e-3 ? 1.0 : 0.0) - group->over_ratio);
}

static void calibrate(struct hs_runtimes *runtimes, double run_s,
                      const struct hs_runtimes_run *foreseen)
{
    double is_over = run_s > foreseen->learned_upper_s ? 1.0 : 0.0;
    double level = runtimes->upper_level + LEVEL_STEP * (is_over - HS_RUNTIMES_OVER_RATIO);

    runtimes->upper_level = fmin(fmax(level, UPPER_FROM), UPPER_TO);
}

void hs_runtimes_end(struct hs_runtimes *runtimes, const struct hs_runtimes_request *request,
                     uint64_t id, double run_s, const struct hs_runtimes_run *foreseen)
{
    double log_run = log(fmax(run_s, 1.0));
    double log_request = log(fmax(request->requested_s, 1.0));

    hs_runtimes_drop(runtimes, request, id);
    for (size_t g = 0; g < HS_RUNTIMES_N_GROUPS; g++) {
        uint64_t key = key_of(request, g);
        struct group *group = key != 0 ? touch(runtimes, key) : NULL;

        if (group == NULL) {
            continue;
        }
        hs_runspread_add(&group->spread, 1.0 - 1.0 / groups[g].memory,
                         groups[g].is_ratio ? log_run - log_request + RATIO_SHIFT : log_run, 1.0);
        group->n_ended += 1.0;
        if (foreseen != NULL) {
            judge(group, log_run, log_request);
        }
    }
    if (foreseen != NULL && !foreseen->is_request) {
        calibrate(runtimes, run_s, foreseen);
    }
}

const char *hs_runtimes_group_words(enum hs_runtimes_group group)
{
    return groups[group].words;
}

/* --- life --- */

static void clear(struct hs_runtimes *runtimes)
{
    runtimes->n = 0;
    runtimes->oldest = NONE;
    runtimes->newest = NONE;
    memset(runtimes->heads, 0xff, sizeof(runtimes->heads)); /* NONE */
}

struct hs_runtimes *hs_runtimes_new(void)
{
    struct hs_runtimes *runtimes = hs_xcalloc(1, sizeof(*runtimes));

    runtimes->upper_level = 1.0 - HS_RUNTIMES_OVER_RATIO;
    runtimes->groups = hs_xcalloc(GROUPS, sizeof(*runtimes->groups));
    clear(runtimes);
    return runtimes;
}

void hs_runtimes_free(struct hs_runtimes *runtimes)
{
    if (runtimes == NULL) {
        return;
    }
    free(runtimes->groups);
    free(runtimes);
}

json_t *hs_runtimes_save(const struct hs_runtimes *runtimes)
{
    json_t *saved = hs_jsonx_object();
    HS_AUTO_MEM struct group *packed = hs_xcalloc(runtimes->n, sizeof(*packed));
    HS_AUTO_MEM char *level =
        hs_packtext_format(&runtimes->upper_level, sizeof(runtimes->upper_level));
    HS_AUTO_MEM char *text = NULL;
    size_t n = 0;

    for (uint32_t at = runtimes->oldest; at != NONE; at = runtimes->newer[at]) {
        packed[n++] = runtimes->groups[at];
    }
    text = hs_packtext_format(packed, n * sizeof(*packed));
    hs_jsonx_set_int(saved, "version", STATE_VERSION);
    hs_jsonx_set_int(saved, "n_groups", (int64_t)n);
    hs_jsonx_set_text(saved, "upper_level", level);
    hs_jsonx_set_text(saved, "groups", text);
    return saved;
}

/* What is not a number there would be in every prediction. */
static bool check_group(const struct group *group)
{
    bool is_fine = isfinite(group->n_ended) && group->n_ended >= 0 && isfinite(group->request_error)
                   && group->request_error >= 0 && group->over_ratio >= 0 && group->over_ratio <= 1;

    for (size_t i = 0; i < HS_RUNSPREAD_BINS; i++) {
        is_fine = is_fine && isfinite(group->spread.mass[i]) && group->spread.mass[i] >= 0;
    }
    for (size_t i = 0; i < OPEN_MAX; i++) {
        is_fine = is_fine && group->open[i].at_s > -LAST_S && group->open[i].at_s < LAST_S;
    }
    return is_fine;
}

int hs_runtimes_restore(struct hs_runtimes *runtimes, const json_t *saved, struct hs_err *err)
{
    json_int_t n = json_integer_value(json_object_get(saved, "n_groups"));
    HS_AUTO_MEM struct group *packed = hs_xcalloc(GROUPS, sizeof(*packed));
    double level;

    if (json_integer_value(json_object_get(saved, "version")) != STATE_VERSION || n < 0
        || n > GROUPS) {
        return hs_err_set(err, HS_E_INVALID, "runtimes", "not of version %d", STATE_VERSION);
    }
    if (!hs_packtext_parse(json_string_value(json_object_get(saved, "upper_level")), &level,
                           sizeof(level))
        || !hs_packtext_parse(json_string_value(json_object_get(saved, "groups")), packed,
                              (size_t)n * sizeof(*packed))) {
        return hs_err_set(err, HS_E_INVALID, "runtimes", "the saved groups are damaged");
    }
    for (json_int_t i = 0; i < n; i++) {
        if (!check_group(&packed[i])) {
            return hs_err_set(err, HS_E_INVALID, "runtimes", "the saved groups are damaged");
        }
    }
    clear(runtimes);
    runtimes->upper_level = fmin(fmax(level, UPPER_FROM), UPPER_TO);
    for (json_int_t i = 0; i < n; i++) {
        packed[i].next_open %= OPEN_MAX;
        *add_group(runtimes, packed[i].key) = packed[i];
    }
    return 0;
}
