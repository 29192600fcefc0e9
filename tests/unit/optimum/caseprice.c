/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/optimum/caseprice.h"

#include <math.h>
#include <string.h>

#define LEAST_MOVE_S 300.0 /* docs/planner.md: so much of the job's power, whatever it takes */

const struct hs_place_job *caseprice_find_job(const struct smallcase *c, uint64_t job_id)
{
    for (size_t j = 0; j < c->n_jobs; j++) {
        if (c->jobs[j].job_id == job_id) {
            return &c->jobs[j];
        }
    }
    return NULL;
}

/* At the most of its vCPUs' time that it takes. */
static double job_w(const struct smallcase *c, const struct hs_place_job *job, size_t host_idx)
{
    const struct hs_host *host = &c->hosts[host_idx];

    return (host->max_w - host->idle_w) / (double)host->vcpus * (double)job->size.vcpus
           * (job->share_max > 0 ? job->share_max / 4.0 : 1.0);
}

/* Seconds of work that @placement does in slot @t, its work being done in order. */
static double work_s_in(const struct smallcase *c, const struct hs_place_job *job,
                        const struct hs_placement *placement, size_t t)
{
    double left_s = job->remaining_s;
    double work_s = 0.0;

    for (size_t i = 0; i <= t; i++) {
        work_s = 0.0;
        if (hs_plan_runs(placement, i)) {
            work_s = fmin(left_s, smallcase_work_s(c, job, placement, i));
            left_s -= work_s;
        }
    }
    return work_s;
}

double caseprice_heat_wh(const struct smallcase *c, const struct hs_place_job *job,
                         const struct hs_placement *placement, size_t t)
{
    const struct hs_host *host = &c->hosts[placement->host_idx];

    return job_w(c, job, placement->host_idx) * work_s_in(c, job, placement, t) / 3600.0
           * c->racks[host->rack_idx].capture_ratio;
}

bool caseprice_add_job(const struct smallcase *c, const struct hs_place_job *job,
                       const struct hs_placement *placement, struct caseprice *io_price)
{
    double power_mw = job_w(c, job, placement->host_idx) * 1e-6;
    const double *elec = &c->elec_cur_per_mwh[c->hosts[placement->host_idx].site_idx * c->n_slots];
    double soonest_at_s =
        fmax((double)c->frame.now_at_s, (double)job->earliest_at_s) + job->remaining_s;
    double left_s = job->remaining_s;
    double elec_cur = 0.0;
    double end_at_s = 0.0;
    bool ran = job->is_running;

    for (size_t t = 0; t < c->n_slots && left_s > 1e-9; t++) {
        bool runs = hs_plan_runs(placement, t);

        if (ran && !runs && left_s > 1e-9) { /* stands still with work left */
            io_price->stops_cur += power_mw * fabs(elec[t]) * c->frame.suspend_s / 3600.0;
        }
        if (runs) {
            double most_s = smallcase_work_s(c, job, placement, t);
            double work_s = fmin(left_s, most_s);

            elec_cur += power_mw * work_s / 3600.0 * elec[t];
            end_at_s = smallcase_start_at_s(c, t) + work_s / most_s * smallcase_slot_s(c, t);
            left_s -= work_s;
        }
        ran = runs;
    }
    if (job->host_idx != SIZE_MAX && job->host_idx != placement->host_idx) {
        bool is_saved = job->is_running && job->freedom != HS_PLACE_FIXED;
        double move_s = fmax(LEAST_MOVE_S, job->move_s + (is_saved ? c->frame.suspend_s : 0.0));

        io_price->moves_cur += power_mw * fabs(elec[placement->first_slot]) * move_s / 3600.0;
    }
    io_price->elec_cur += elec_cur;
    io_price->waiting_cur +=
        c->frame.waiting_weight * fabs(elec_cur) * fmax(0.0, end_at_s - soonest_at_s) / 86400.0;
    if (end_at_s > (double)(job->due_at_s - c->estate.slot_s) && job->freedom != HS_PLACE_FIXED) {
        io_price->margin_cur += fabs(elec_cur);
    }
    return end_at_s + left_s <= (double)job->due_at_s + 0.5;
}

void caseprice_run_plant(const struct smallcase *c, size_t l, size_t t, double captured_wh,
                         double *io_tank_wh, double *io_backup_cur, double *io_reject_cur)
{
    const struct hs_heatloop *loop = &c->loops[l];
    const struct hs_tank *tank = &loop->tank;
    const struct hs_thermal_input *input = &c->thermal[l];
    double hours = input->slot_s / 3600.0;
    double full_wh = tank->present ? tank->volume_l * 1.163 * (tank->max_c - tank->min_c) : 0.0;
    double left_wh = captured_wh;
    double open_wh[2] = {0};
    double draw_wh;

    if (full_wh > 0) {
        double warm_k = tank->min_c - tank->ambient_c + *io_tank_wh / (1.163 * tank->volume_l);

        *io_tank_wh -= fmin(*io_tank_wh, fmax(0.0, tank->loss_w_per_k * warm_k * hours));
    }
    draw_wh = full_wh > 0 ? fmin(*io_tank_wh, tank->draw_limit_w * hours) : 0.0;
    /* the dearest sink first, by compute's heat and then by the tank's */
    for (size_t i = 0; i < loop->n_sinks; i++) {
        bool swapped =
            loop->n_sinks == 2 && input->sink_cur_per_mwh[1] > input->sink_cur_per_mwh[0];
        size_t k = swapped ? 1 - i : i;
        double given_wh = fmin(left_wh, input->sink_demand_wh[k * c->n_slots + t]);

        left_wh -= given_wh;
        open_wh[k] = input->sink_demand_wh[k * c->n_slots + t] - given_wh;
        given_wh = fmin(draw_wh, open_wh[k]);
        draw_wh -= given_wh;
        *io_tank_wh -= given_wh;
        *io_backup_cur += (open_wh[k] - given_wh) * input->sink_cur_per_mwh[k] * 1e-6;
    }
    if (full_wh > 0) {
        double charge_wh = fmin(fmin(left_wh, tank->charge_limit_w * hours), full_wh - *io_tank_wh);

        charge_wh = fmax(0.0, charge_wh);
        *io_tank_wh += charge_wh;
        left_wh -= charge_wh;
    }
    *io_reject_cur += left_wh * input->reject_cur_per_wh[t];
}

static void add_heat(const struct smallcase *c, size_t l, const struct hs_placement *placements,
                     size_t n, struct caseprice *io_price)
{
    const struct hs_thermal_input *input = &c->thermal[l];
    double tank_wh = c->loops[l].tank.present ? input->tank_wh : 0.0;

    for (size_t t = 0; t < c->n_slots; t++) {
        double captured_wh = input->captured_wh[t];

        for (size_t i = 0; i < n; i++) {
            if (placements[i].host_idx != SIZE_MAX && c->hosts[placements[i].host_idx].loop_idx == l
                && hs_plan_runs(&placements[i], t)) {
                captured_wh += caseprice_heat_wh(c, caseprice_find_job(c, placements[i].job_id),
                                                 &placements[i], t);
            }
        }
        caseprice_run_plant(c, l, t, captured_wh, &tank_wh, &io_price->backup_cur,
                            &io_price->reject_cur);
        io_price->tank_wh[l * c->n_slots + t] = tank_wh;
    }
    io_price->credit_cur += tank_wh * input->end_cur_per_wh;
}

void caseprice_fill(const struct smallcase *c, const struct hs_placement *placements, size_t n,
                    struct caseprice *ret_price)
{
    memset(ret_price, 0, sizeof(*ret_price));
    for (size_t i = 0; i < n; i++) {
        const struct hs_place_job *job = caseprice_find_job(c, placements[i].job_id);

        if (placements[i].host_idx == SIZE_MAX
            || !caseprice_add_job(c, job, &placements[i], ret_price)) {
            ret_price->n_late += job->freedom != HS_PLACE_FILLER;
        }
    }
    for (size_t l = 0; l < c->estate.n_loops; l++) {
        add_heat(c, l, placements, n, ret_price);
    }
    ret_price->total_cur = ret_price->elec_cur + ret_price->waiting_cur + ret_price->stops_cur
                           + ret_price->moves_cur + ret_price->margin_cur + ret_price->backup_cur
                           + ret_price->reject_cur - ret_price->credit_cur;
}
