/* SPDX-License-Identifier: Apache-2.0 */
/*
 * casemilp - columns of placements, rows of room and heat; see casemilp.h.
 *
 * A row is opened when its first entry comes. Program and answer live in struct build.
 */
#include "tests/unit/optimum/casemilp.h"

#ifdef HS_TEST_CBC

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <coin/Cbc_C_Interface.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/vec.h"
#include "scheduler/sim/sparselp.h"

bool casemilp_is_built(void)
{
    return true;
}

#define LATE_CUR 1e6 /* of a job that has no place: dearer than anything */

/* A placement that a column stands for. */
struct choice {
    size_t job;
    struct hs_placement placement; /* host_idx SIZE_MAX: nowhere */
};

struct build {
    const struct smallcase *c;
    struct hs_sparselp *lp;
    HS_VEC(struct choice) choices; /* the first columns, all 0 or 1 */
    size_t job_rows[SMALLCASE_JOBS_MAX];
    size_t *vcpu_rows; /* [n_hosts][n_slots] SIZE_MAX: none yet; likewise the others */
    size_t *memory_rows;
    size_t *rack_rows;
    size_t *site_rows;
    size_t heat_rows[SMALLCASE_LOOPS_MAX][SMALLCASE_SLOTS_MAX];
    HS_VEC(size_t) switches; /* further columns that are 0 or 1 */
};

static size_t *new_rows(size_t n)
{
    size_t *rows = hs_xcalloc(n, sizeof(*rows));

    memset(rows, 0xff, n * sizeof(*rows));
    return rows;
}

/* Enter @value for @column into the row at @io_row, which holds at most @room. */
static void use_room(struct build *b, size_t *io_row, double room, size_t column, double value)
{
    if (*io_row == SIZE_MAX) {
        *io_row = hs_sparselp_add_row(b->lp, -INFINITY, room);
    }
    hs_sparselp_set(b->lp, *io_row, column, value);
}

static double watts_per_vcpu(const struct hs_host *host)
{
    return (host->max_w - host->idle_w) / (double)host->vcpus;
}

/* A rack's or a site's watts that its idle hosts and pinned vCPUs leave. */
static double spare_w(const struct smallcase *c, double limit_w, bool of_rack, size_t idx)
{
    for (size_t h = 0; h < c->estate.n_hosts; h++) {
        const struct hs_host *host = &c->hosts[h];

        if ((of_rack ? host->rack_idx : host->site_idx) == idx) {
            limit_w -= host->idle_w + watts_per_vcpu(host) * (double)host->pinned_vcpus;
        }
    }
    return limit_w;
}

static void add_room(struct build *b, const struct hs_place_job *job,
                     const struct hs_placement *placement, size_t column)
{
    const struct smallcase *c = b->c;
    size_t n = c->n_slots;
    size_t h = placement->host_idx;
    const struct hs_host *host = &c->hosts[h];
    double vcpus = (double)job->size.vcpus;
    double elec_w = watts_per_vcpu(host) * vcpus;
    double rack_w = spare_w(c, c->racks[host->rack_idx].limit_w, true, host->rack_idx);
    double site_w = spare_w(c, c->sites[host->site_idx].limit_w, false, host->site_idx);

    for (size_t t = placement->held_slot; t <= placement->last_slot; t++) {
        use_room(b, &b->memory_rows[h * n + t], (double)host->memory_mib / 1024.0, column,
                 (double)job->size.memory_mib / 1024.0);
        if (!hs_plan_runs(placement, t)) {
            continue;
        }
        use_room(b, &b->vcpu_rows[h * n + t], (double)(host->vcpus - host->pinned_vcpus), column,
                 vcpus);
        if (isfinite(rack_w)) {
            use_room(b, &b->rack_rows[host->rack_idx * n + t], rack_w * 1e-3, column,
                     elec_w * 1e-3);
        }
        if (isfinite(site_w)) {
            use_room(b, &b->site_rows[host->site_idx * n + t], site_w * 1e-3, column,
                     elec_w * 1e-3);
        }
    }
}

static void add_choice(struct build *b, size_t j, const struct hs_placement *placement)
{
    const struct hs_place_job *job = &b->c->jobs[j];
    struct caseprice price = {0};
    size_t loop_idx;

    if (!caseprice_add_job(b->c, job, placement, &price) && job->freedom != HS_PLACE_FIXED) {
        return;
    }
    size_t column = hs_sparselp_add_column(
        b->lp, 0.0, 1.0, price.elec_cur + price.waiting_cur + price.stops_cur + price.margin_cur);

    (void)HS_VEC_PUSH(&b->choices, ((struct choice){j, *placement}));
    hs_sparselp_set(b->lp, b->job_rows[j], column, 1.0);
    add_room(b, job, placement, column);
    loop_idx = b->c->hosts[placement->host_idx].loop_idx;
    for (size_t t = placement->first_slot; t <= placement->last_slot; t++) {
        hs_sparselp_set(b->lp, b->heat_rows[loop_idx][t], column,
                        caseprice_heat_wh(b->c, job, placement, t) * 1e-3);
    }
}

/* Work that a pattern still needs, its next slot, and how it got here. */
struct walk {
    size_t job;
    size_t end;     /* no slot from here on */
    size_t min_run; /* slots */
    bool runs_through;
    bool must_run_first;
};

/* Complete @placement with @need more slots from @t on in every way there is. */
static void walk_patterns(struct build *b, const struct walk *walk, size_t t, size_t need,
                          const struct hs_placement *placement)
{
    for (size_t start = t; start + need <= walk->end; start++) {
        for (size_t run = 1; run <= need; run++) {
            struct hs_placement next = *placement;

            if (run < need && (walk->runs_through || run < walk->min_run)) {
                continue;
            }
            for (size_t i = start; i < start + run; i++) {
                next.slots[i / 64] |= UINT64_C(1) << (i % 64);
            }
            next.first_slot = next.first_slot == SIZE_MAX ? start : next.first_slot;
            next.last_slot = start + run - 1;
            if (run < need) {
                walk_patterns(b, walk, start + run + 1, need - run, &next);
                continue;
            }
            next.held_slot = b->c->jobs[walk->job].host_idx != SIZE_MAX ? 0 : next.first_slot;
            add_choice(b, walk->job, &next);
        }
        if (walk->must_run_first && placement->first_slot == SIZE_MAX) {
            return;
        }
    }
}

static bool may_use(const struct smallcase *c, const struct hs_place_job *job, size_t h)
{
    const struct hs_host *host = &c->hosts[h];

    return !c->barred[h] && (job->host_idx == SIZE_MAX || job->host_idx == h)
           && (job->site_allowed == NULL || job->site_allowed[host->site_idx])
           && job->size.vcpus <= (int32_t)(host->vcpus - host->pinned_vcpus)
           && job->size.memory_mib <= (int64_t)host->memory_mib;
}

static void add_job(struct build *b, size_t j)
{
    const struct smallcase *c = b->c;
    const struct hs_place_job *job = &c->jobs[j];
    int64_t slot_s = c->estate.slot_s;
    size_t need = (size_t)llround(job->remaining_s / (double)slot_s);
    int64_t wait_s = job->earliest_at_s - c->frame.from_at_s;
    size_t first = wait_s > 0 ? (size_t)(wait_s / slot_s) : 0;
    struct walk walk = {
        .job = j,
        .end = (size_t)((job->due_at_s - c->frame.from_at_s) / slot_s),
        .min_run = (size_t)((job->min_run_s + slot_s - 1) / slot_s),
        .runs_through = job->freedom != HS_PLACE_INTERRUPTIBLE,
        .must_run_first = job->must_run_now || job->freedom == HS_PLACE_FIXED,
    };
    struct hs_placement nowhere = {.job_id = job->job_id, .host_idx = SIZE_MAX};
    size_t column;

    b->job_rows[j] = hs_sparselp_add_row(b->lp, 1.0, 1.0);
    for (size_t h = 0; h < c->estate.n_hosts; h++) {
        struct hs_placement empty = {.job_id = job->job_id, .host_idx = h, .first_slot = SIZE_MAX};

        if (may_use(c, job, h)) {
            walk_patterns(b, &walk, first, need, &empty);
        }
    }
    column = hs_sparselp_add_column(b->lp, 0.0, 1.0, LATE_CUR);
    (void)HS_VEC_PUSH(&b->choices, ((struct choice){j, nowhere}));
    hs_sparselp_set(b->lp, b->job_rows[j], column, 1.0);
}

/* --- heat, in kWh and cur --- */

/* Rows that hold what the tank loses in a slot: linear in @stored, no more than there is. */
static void add_loss(struct build *b, size_t l, size_t tank_row, size_t stored, double full_kwh)
{
    const struct hs_tank *tank = &b->c->loops[l].tank;
    double hours = b->c->thermal[l].slot_s / 3600.0;
    double a_kwh = tank->loss_w_per_k * (tank->min_c - tank->ambient_c) * hours * 1e-3;
    double share = tank->loss_w_per_k * hours / (1.163 * tank->volume_l);
    size_t loss = hs_sparselp_add_column(b->lp, 0.0, INFINITY, 0.0);
    size_t row = hs_sparselp_add_row(b->lp, a_kwh, INFINITY);

    hs_sparselp_set(b->lp, tank_row, loss, -1.0);
    hs_sparselp_set(b->lp, row, loss, 1.0);
    hs_sparselp_set(b->lp, row, stored, -share);
    if (a_kwh > 0) {
        /* clipped: loses all there is instead */
        size_t clip = hs_sparselp_add_column(b->lp, 0.0, 1.0, 0.0);
        double most_kwh = full_kwh * (1.0 - share);

        (void)HS_VEC_PUSH(&b->switches, clip);
        hs_sparselp_set(b->lp, row, clip, a_kwh);
        row = hs_sparselp_add_row(b->lp, -most_kwh, INFINITY);
        hs_sparselp_set(b->lp, row, loss, 1.0);
        hs_sparselp_set(b->lp, row, stored, -1.0);
        hs_sparselp_set(b->lp, row, clip, -most_kwh);
    }
}

static void add_tank(struct build *b, size_t l)
{
    const struct smallcase *c = b->c;
    const struct hs_tank *tank = &c->loops[l].tank;
    const struct hs_thermal_input *input = &c->thermal[l];
    double hours = input->slot_s / 3600.0;
    double full_kwh = tank->volume_l * 1.163 * (tank->max_c - tank->min_c) * 1e-3;
    size_t stored =
        hs_sparselp_add_column(b->lp, input->tank_wh * 1e-3, input->tank_wh * 1e-3, 0.0);

    for (size_t t = 0; t < c->n_slots; t++) {
        bool is_last = t + 1 == c->n_slots;
        size_t end = hs_sparselp_add_column(b->lp, 0.0, full_kwh,
                                            is_last ? -input->end_cur_per_wh * 1e3 : 0.0);
        size_t charge =
            hs_sparselp_add_column(b->lp, 0.0, tank->charge_limit_w * hours * 1e-3, 0.0);
        size_t draw = hs_sparselp_add_column(b->lp, 0.0, tank->draw_limit_w * hours * 1e-3, 0.0);
        size_t row = hs_sparselp_add_row(b->lp, 0.0, 0.0);

        hs_sparselp_set(b->lp, row, stored, 1.0);
        hs_sparselp_set(b->lp, row, end, -1.0);
        hs_sparselp_set(b->lp, row, charge, 1.0);
        hs_sparselp_set(b->lp, row, draw, -1.0);
        add_loss(b, l, row, stored, full_kwh);
        hs_sparselp_set(b->lp, b->heat_rows[l][t], charge, -1.0);
        hs_sparselp_set(b->lp, b->heat_rows[l][t], draw, 1.0);
        stored = end;
    }
}

/* captured + draw + backup = demand + charge + rejected, jobs' heat to come into the same rows. */
static void add_loop(struct build *b, size_t l)
{
    const struct smallcase *c = b->c;
    const struct hs_thermal_input *input = &c->thermal[l];

    for (size_t t = 0; t < c->n_slots; t++) {
        double over_wh = -input->captured_wh[t];

        for (size_t k = 0; k < c->loops[l].n_sinks; k++) {
            over_wh += input->sink_demand_wh[k * c->n_slots + t];
        }
        b->heat_rows[l][t] = hs_sparselp_add_row(b->lp, over_wh * 1e-3, over_wh * 1e-3);
    }
}

static void add_sinks(struct build *b, size_t l)
{
    const struct smallcase *c = b->c;
    const struct hs_thermal_input *input = &c->thermal[l];

    for (size_t t = 0; t < c->n_slots; t++) {
        size_t reject =
            hs_sparselp_add_column(b->lp, 0.0, INFINITY, input->reject_cur_per_wh[t] * 1e3);

        hs_sparselp_set(b->lp, b->heat_rows[l][t], reject, -1.0);
        for (size_t k = 0; k < c->loops[l].n_sinks; k++) {
            size_t backup =
                hs_sparselp_add_column(b->lp, 0.0, input->sink_demand_wh[k * c->n_slots + t] * 1e-3,
                                       input->sink_cur_per_mwh[k] * 1e-3);

            hs_sparselp_set(b->lp, b->heat_rows[l][t], backup, 1.0);
        }
    }
}

/* --- CBC --- */

static double limit(double value)
{
    return isinf(value) ? copysign(DBL_MAX, value) : value;
}

/* Hand the program over by columns. */
static void load(Cbc_Model *model, const struct hs_sparselp *lp)
{
    size_t n_columns = lp->columns.n, n_rows = lp->rows.n, n = lp->entries.n;
    HS_AUTO_MEM CoinBigIndex *starts = hs_xcalloc(n_columns + 1, sizeof(*starts));
    HS_AUTO_MEM CoinBigIndex *next = hs_xcalloc(n_columns, sizeof(*next));
    HS_AUTO_MEM int *rows = hs_xcalloc(n, sizeof(*rows));
    HS_AUTO_MEM double *values = hs_xcalloc(n, sizeof(*values));
    HS_AUTO_MEM double *columns = hs_xcalloc(3 * n_columns, sizeof(*columns));
    HS_AUTO_MEM double *limits = hs_xcalloc(2 * n_rows, sizeof(*limits));

    for (size_t i = 0; i < n; i++) {
        starts[lp->entries.items[i].column + 1]++;
    }
    for (size_t i = 0; i < n_columns; i++) {
        starts[i + 1] += starts[i];
        next[i] = starts[i];
        columns[i] = limit(lp->columns.items[i].lower);
        columns[n_columns + i] = limit(lp->columns.items[i].upper);
        columns[2 * n_columns + i] = lp->columns.items[i].cost;
    }
    for (size_t i = 0; i < n; i++) {
        CoinBigIndex at = next[lp->entries.items[i].column]++;

        rows[at] = lp->entries.items[i].row;
        values[at] = lp->entries.items[i].value;
    }
    for (size_t i = 0; i < n_rows; i++) {
        limits[i] = limit(lp->rows.items[i].lower);
        limits[n_rows + i] = limit(lp->rows.items[i].upper);
    }
    Cbc_loadProblem(model, (int)n_columns, (int)n_rows, starts, rows, values, columns,
                    &columns[n_columns], &columns[2 * n_columns], limits, &limits[n_rows]);
}

static bool is_same(const struct hs_placement *a, const struct hs_placement *b)
{
    return a->job_id == b->job_id && a->host_idx == b->host_idx
           && (a->host_idx == SIZE_MAX || memcmp(a->slots, b->slots, sizeof(a->slots)) == 0);
}

/* Tell CBC of a plan that is known. */
static void give_hint(const struct build *b, Cbc_Model *model, const struct hs_placement *hint,
                      size_t n_hint)
{
    HS_AUTO_MEM int *columns = hs_xcalloc(b->choices.n, sizeof(*columns));
    HS_AUTO_MEM double *values = hs_xcalloc(b->choices.n, sizeof(*values));

    for (size_t i = 0; i < b->choices.n; i++) {
        columns[i] = (int)i;
        for (size_t k = 0; k < n_hint; k++) {
            if (is_same(&b->choices.items[i].placement, &hint[k])) {
                values[i] = 1.0;
            }
        }
    }
    Cbc_setMIPStartI(model, (int)b->choices.n, columns, values);
}

static void read_answer(const struct build *b, Cbc_Model *model, struct casemilp *ret_milp)
{
    const double *values = Cbc_bestSolution(model);

    ret_milp->is_solved = Cbc_isProvenOptimal(model) && values != NULL;
    ret_milp->bound_cur = Cbc_getBestPossibleObjValue(model);
    for (size_t i = 0; values != NULL && i < b->choices.n; i++) {
        if (values[i] > 0.5) {
            ret_milp->placements[b->choices.items[i].job] = b->choices.items[i].placement;
        }
    }
    if (values != NULL) {
        caseprice_fill(b->c, ret_milp->placements, b->c->n_jobs, &ret_milp->price);
    }
    ret_milp->is_in_time = values != NULL && ret_milp->price.n_late == 0;
}

static void run_cbc(const struct build *b, const struct hs_placement *hint, size_t n_hint,
                    size_t most_nodes, struct casemilp *ret_milp)
{
    Cbc_Model *model = Cbc_newModel();
    char text[32];

    Cbc_setLogLevel(model, 0);
    load(model, b->lp);
    for (size_t i = 0; i < b->choices.n; i++) {
        Cbc_setInteger(model, (int)i);
    }
    for (size_t i = 0; i < b->switches.n; i++) {
        Cbc_setInteger(model, (int)b->switches.items[i]);
    }
    (void)snprintf(text, sizeof(text), "%g", CASEMILP_GAP);
    Cbc_setParameter(model, "ratioGap", text);
    (void)snprintf(text, sizeof(text), "%zu", most_nodes);
    Cbc_setParameter(model, "maxNodes", text);
    Cbc_setParameter(model, "log", "0");
    Cbc_setParameter(model, "preprocess", "off"); /* takes longer than it saves here */
    if (n_hint > 0) {
        give_hint(b, model, hint, n_hint);
    }
    (void)Cbc_solve(model);
    read_answer(b, model, ret_milp);
    Cbc_deleteModel(model);
}

void casemilp_solve(const struct smallcase *c, const struct hs_placement *hint, size_t n_hint,
                    size_t most_nodes, struct casemilp *ret_milp)
{
    struct build b = {.c = c, .lp = hs_sparselp_new()};
    size_t n = c->n_slots;

    memset(ret_milp, 0, sizeof(*ret_milp));
    b.vcpu_rows = new_rows(c->estate.n_hosts * n);
    b.memory_rows = new_rows(c->estate.n_hosts * n);
    b.rack_rows = new_rows(c->estate.n_racks * n);
    b.site_rows = new_rows(c->estate.n_sites * n);
    for (size_t l = 0; l < c->estate.n_loops; l++) {
        add_loop(&b, l);
    }
    for (size_t j = 0; j < c->n_jobs; j++) {
        add_job(&b, j);
    }
    for (size_t l = 0; l < c->estate.n_loops; l++) {
        add_sinks(&b, l);
        if (c->loops[l].tank.present) {
            add_tank(&b, l);
        }
    }
    run_cbc(&b, hint, n_hint, most_nodes, ret_milp);
    HS_VEC_FINI(&b.switches);
    HS_VEC_FINI(&b.choices);
    free(b.site_rows);
    free(b.rack_rows);
    free(b.memory_rows);
    free(b.vcpu_rows);
    hs_sparselp_free(b.lp);
}

#else /* no CBC */

bool casemilp_is_built(void)
{
    return false;
}

void casemilp_solve(const struct smallcase *c, const struct hs_placement *hint, size_t n_hint,
                    size_t most_nodes, struct casemilp *ret_milp)
{
    *ret_milp = (struct casemilp){0};
}

#endif
