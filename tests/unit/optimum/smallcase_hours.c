/* SPDX-License-Identifier: Apache-2.0 */
/* smallcase_hours - what takes room or bounds it, mostly by the clock; see smallcase_priv.h. */
#include <math.h>

#include "tests/unit/optimum/smallcase_priv.h"

void smallcase_take_hosts(struct smallcase *c)
{
    for (size_t h = 0; h < c->estate.n_hosts; h++) {
        const struct hs_host *host = &c->hosts[h];

        c->barred[h] = toss(c, 0.1);
        if (toss(c, 0.3)) {
            size_t first = toss(c, 0.5) ? 0 : pick(c, 0, c->n_slots - 1);
            int32_t vcpus = (int32_t)pick(c, 1, host->vcpus - host->pinned_vcpus);

            c->reserved[c->n_reserved++] = (struct smallcase_reserved){
                .host_idx = h,
                .size = {.vcpus = vcpus, .memory_mib = (int64_t)pick(c, 0, host->memory_mib)},
                .first = first,
                .last = pick(c, first, c->n_slots - 1),
            };
        }
    }
}

static void draw_span(struct smallcase *c, size_t *ret_first, size_t *ret_last)
{
    *ret_first = toss(c, 0.3) ? 0 : pick(c, 0, c->n_slots - 1);
    *ret_last = toss(c, 0.2) ? c->n_slots - 1 : pick(c, *ret_first, c->n_slots - 1);
}

/* Planned maintenance. */
static void close_hosts(struct smallcase *c)
{
    for (size_t h = 0; h < c->estate.n_hosts && c->n_closed < SMALLCASE_CLOSED_MAX; h++) {
        if (toss(c, 0.3)) {
            struct smallcase_closed *closed = &c->closed[c->n_closed++];

            closed->host_idx = h;
            draw_span(c, &closed->first, &closed->last);
        }
    }
}

/* What policies allow by season and by night: now and then less than idle hosts draw. */
static void cap(struct smallcase *c)
{
    for (size_t l = 0; l < c->estate.n_loops; l++) {
        double idle_w = 0.0;
        double max_w = 0.0;

        for (size_t i = 0; i < c->racks[l].n_hosts; i++) {
            idle_w += c->hosts[c->racks[l].first_host_idx + i].idle_w;
            max_w += c->hosts[c->racks[l].first_host_idx + i].max_w;
        }
        for (int scope = HS_FIT_SITE; scope <= HS_FIT_RACK; scope++) {
            if (toss(c, 0.25)) {
                struct smallcase_cap *cap = &c->caps[c->n_caps++];

                *cap = (struct smallcase_cap){.scope = (enum hs_fit_scope)scope, .idx = l};
                cap->elec_w = idle_w + (max_w - idle_w) * between(c, -0.1, 1.1);
                draw_span(c, &cap->first, &cap->last);
            }
        }
    }
}

static void limit_ramps(struct smallcase *c)
{
    c->frame.ramp_cur_per_kw = pow(10.0, between(c, -3.0, 0.5));
    for (size_t l = 0; l < c->estate.n_loops; l++) {
        double heat_w = c->racks[l].capture_ratio * c->hosts[c->racks[l].first_host_idx].max_w;

        if (toss(c, 0.7)) {
            c->racks[l].ramp_w_per_min =
                heat_w * between(c, 0.01, 0.5) * 60.0 / (double)c->estate.slot_s;
        }
    }
}

void smallcase_add_rules(struct smallcase *c)
{
    c->has_shares = toss(c, 0.3);
    c->has_moves = toss(c, 0.3);
    c->frame.frees_memory = toss(c, 0.3);
    if (toss(c, 0.25)) {
        close_hosts(c);
    }
    if (toss(c, 0.25)) {
        cap(c);
    }
    if (toss(c, 0.15)) {
        limit_ramps(c);
    }
}
