/* SPDX-License-Identifier: Apache-2.0 */
/* feasible - see feasible.h. */
#include "scheduler/core/feasible.h"

#include <math.h>
#include <stdlib.h>

#include "scheduler/base/mem.h"

#define NONE         SIZE_MAX
#define LEFT_LEAST_S 1e-6

struct hs_feasible {
    int64_t step_s;
    size_t n_steps;
    int64_t from_at_s;
    double *room_vcpus; /* [n_steps] */
};

/** Work on its way into the room. */
struct laid {
    const struct hs_feasible_work *work;
    size_t idx;
    size_t due_step; /* it may use the steps before */
    double left_s;
    size_t next; /* in its list */
};

/** Who may use the step at hand: lists by the order in which they choose. */
struct lists {
    size_t later; /* released after now, what is released last first */
    size_t first; /* released by now, latest due first */
    size_t last;
};

/* --- life --- */

struct hs_feasible *hs_feasible_new(int64_t step_s, int64_t reach_s)
{
    struct hs_feasible *feasible = hs_xcalloc(1, sizeof(*feasible));

    feasible->step_s = step_s;
    feasible->n_steps = (size_t)((reach_s + step_s - 1) / step_s);
    feasible->room_vcpus = hs_xcalloc(feasible->n_steps, sizeof(double));
    return feasible;
}

void hs_feasible_free(struct hs_feasible *feasible)
{
    if (feasible == NULL) {
        return;
    }
    free(feasible->room_vcpus);
    free(feasible);
}

/* --- room --- */

void hs_feasible_set(struct hs_feasible *feasible, int64_t from_at_s, double vcpus)
{
    feasible->from_at_s = from_at_s;
    for (size_t t = 0; t < feasible->n_steps; t++) {
        feasible->room_vcpus[t] = vcpus;
    }
}

static int64_t start_of(const struct hs_feasible *feasible, size_t t)
{
    return feasible->from_at_s + (int64_t)t * feasible->step_s;
}

void hs_feasible_take(struct hs_feasible *feasible, int64_t at_s, int64_t until_at_s, double vcpus)
{
    for (size_t t = 0; t < feasible->n_steps && start_of(feasible, t) < until_at_s; t++) {
        int64_t begin_s = start_of(feasible, t) > at_s ? start_of(feasible, t) : at_s;
        int64_t end_s =
            start_of(feasible, t + 1) < until_at_s ? start_of(feasible, t + 1) : until_at_s;

        if (end_s > begin_s) {
            feasible->room_vcpus[t] -= vcpus * (double)(end_s - begin_s) / (double)feasible->step_s;
        }
    }
}

/* --- laying --- */

/* Steps that end by @due_at_s; all of them if that lies past the last. */
static size_t count_steps(const struct hs_feasible *feasible, int64_t due_at_s)
{
    int64_t n = (due_at_s - feasible->from_at_s) / feasible->step_s;

    return n < 0 ? 0 : n > (int64_t)feasible->n_steps ? feasible->n_steps : (size_t)n;
}

/* Seconds of step @t that @work may use. */
static double span_of(const struct hs_feasible *feasible, const struct hs_feasible_work *work,
                      size_t t)
{
    int64_t begin_s = start_of(feasible, t);

    if (work->release_at_s <= begin_s) {
        return (double)feasible->step_s;
    }
    return fmax(0.0, (double)(begin_s + feasible->step_s - work->release_at_s));
}

/*
 * Let @it have what it can use of step @t. Where it comes to its start, that is remembered in
 * @ret_end_at_s: a run from there on ends so late.
 */
static void serve(struct hs_feasible *feasible, struct laid *it, size_t t, int64_t *ret_end_at_s)
{
    double step_s = (double)feasible->step_s;
    double room_s = feasible->room_vcpus[t] * step_s / it->work->vcpus;
    double use_s = fmin(fmin(it->left_s, span_of(feasible, it->work, t)), fmax(0.0, room_s));

    it->left_s -= use_s;
    feasible->room_vcpus[t] -= use_s * it->work->vcpus / step_s;
    if (it->left_s < LEFT_LEAST_S) {
        double start_at_s = (double)start_of(feasible, t) + step_s - use_s;
        double end_at_s = fmin(start_at_s + it->work->run_s, (double)it->work->due_at_s);

        ret_end_at_s[it->idx] = (int64_t)end_at_s;
    }
}

/* Everyone of a list in its order; who has all that he needs, or is past his release, leaves. */
static void serve_list(struct hs_feasible *feasible, struct laid *items, size_t *head,
                       size_t *ret_last, size_t t, int64_t *ret_end_at_s)
{
    size_t *link = head;
    size_t last = NONE;

    while (*link != NONE && feasible->room_vcpus[t] > LEFT_LEAST_S) {
        struct laid *it = &items[*link];

        serve(feasible, it, t, ret_end_at_s);
        if (it->left_s < LEFT_LEAST_S || it->work->release_at_s >= start_of(feasible, t + 1)) {
            *link = it->next;
        } else {
            last = *link;
            link = &it->next;
        }
    }
    if (ret_last != NULL && *link == NONE) {
        *ret_last = last;
    }
}

static void enlist(struct lists *lists, struct laid *items, size_t i, int64_t from_at_s)
{
    size_t *link = &lists->later;

    if (items[i].work->release_at_s <= from_at_s) {
        items[i].next = NONE;
        if (lists->first == NONE) {
            lists->first = i;
        } else {
            items[lists->last].next = i;
        }
        lists->last = i;
        return;
    }
    while (*link != NONE && items[*link].work->release_at_s >= items[i].work->release_at_s) {
        link = &items[*link].next;
    }
    items[i].next = *link;
    *link = i;
}

static int compare_due(const void *left, const void *right)
{
    const struct laid *a = left;
    const struct laid *b = right;

    if (a->work->due_at_s != b->work->due_at_s) {
        return a->work->due_at_s > b->work->due_at_s ? -1 : 1;
    }
    return a->idx < b->idx ? -1 : a->idx > b->idx;
}

void hs_feasible_lay(struct hs_feasible *feasible, const struct hs_feasible_work *works,
                     size_t n_works, int64_t *ret_end_at_s)
{
    HS_AUTO_MEM struct laid *items = hs_xcalloc(n_works, sizeof(*items));
    struct lists lists = {NONE, NONE, NONE};
    size_t n_in = 0;

    for (size_t i = 0; i < n_works; i++) {
        items[i] =
            (struct laid){.work = &works[i], .idx = i, .left_s = works[i].run_s, .next = NONE};
        items[i].due_step = count_steps(feasible, works[i].due_at_s);
        ret_end_at_s[i] = feasible->from_at_s; /* unless it comes to its start */
    }
    qsort(items, n_works, sizeof(*items), compare_due);
    for (size_t t = feasible->n_steps; t-- > 0;) {
        for (; n_in < n_works && items[n_in].due_step > t; n_in++) {
            enlist(&lists, items, n_in, feasible->from_at_s);
        }
        serve_list(feasible, items, &lists.later, NULL, t, ret_end_at_s);
        serve_list(feasible, items, &lists.first, &lists.last, t, ret_end_at_s);
    }
}

int64_t hs_feasible_add(struct hs_feasible *feasible, const struct hs_feasible_work *work)
{
    int64_t end_at_s;

    hs_feasible_lay(feasible, work, 1, &end_at_s);
    return end_at_s;
}
