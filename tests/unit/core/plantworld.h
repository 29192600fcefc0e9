/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * plantworld - three heat loops with a truth of their own, decided by a cycle: for faults of plants
 * and sensors by the thousand.
 *
 * Each loop: a rack of two hosts whose coolant gives its heat to the loop's water, or past it to
 * the rejection where that was asked for; water, with a tank in two of them; a sink. Work of every
 * class comes as it ends. What the cycle asks of its hosts is done at once.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/vec.h"
#include "scheduler/core/cycle.h"

#define PLANTWORLD_LOOPS  3
#define PLANTWORLD_HOSTS  6
#define PLANTWORLD_START  INT64_C(1767571200) /* 2026-01-05 00:00 UTC */
#define PLANTWORLD_HOST_C 90.0                /* hotter a host's coolant may not be */

struct plantworld_loop {
    double water_c;
    double coolant_c;
    double demand_w;
    bool is_pump_off;
    bool is_sink_off;   /* and says so */
    bool is_valve_shut; /* the sink takes nothing and nobody says so */
    bool is_emergency;  /* somebody has thrown the switch */
    bool is_rejecting;  /* as was asked for */
    double captured_wh; /* counter */
    double hottest_c;   /* the coolant has been */
};

struct plantworld_job {
    uint64_t id;
    enum hs_job_class base_class;
    size_t host_idx;
    uint32_t vcpus;
    double left_s;
    int64_t due_at_s; /* 0: none */
    bool is_running;
};

struct plantworld {
    struct hs_estate *estate;
    struct hs_policy *policy;
    struct hs_cycle *cycle;
    uint64_t random;
    int64_t now_at_s;
    struct plantworld_loop loops[PLANTWORLD_LOOPS];
    HS_VEC(struct plantworld_job) jobs; /* that have a machine */
    HS_VEC(struct hs_event) events;
    struct hs_decision decision;
    uint64_t next_id;
    size_t n_waiting;      /* told of, not started yet */
    size_t n_wanted;       /* waiting and running: as many are kept */
    int64_t wait_s;        /* that work may wait and still end in time */
    size_t only_loop_idx;  /* work but what is pinned is for this one only; SIZE_MAX: for all */
    bool is_filler;        /* all work but what is pinned is filler: it runs where heat is wanted */
    double demand_mean_w;  /* of each sink */
    double demand_swing_w; /* about it in a day */
    /*
     * Turns a true reading into what its sensor says, with its quality; NULL: the truth. @return
     * false: silence
     */
    bool (*bend)(void *arg, struct hs_reading *reading);
    void *bend_arg;
    /* counted */
    size_t n_suspended;
    size_t n_destroyed;
    size_t n_pinned_touched;
    size_t n_done;
    size_t n_late;
    size_t n_fillers; /* started */
};

/**
 * Nothing has happened yet. The same @seed gives the same world.
 *
 * @param has_planner  false: the thermostat's rule runs it
 */
void plantworld_open(struct plantworld *world, uint64_t seed, size_t n_wanted, bool has_planner);

/** Go on until @at_s, tell what the sensors say then, decide, and do what was decided. */
void plantworld_step(struct plantworld *world, int64_t at_s);

/** IT power of a loop as it truly is, W. */
double plantworld_elec_w(const struct plantworld *world, size_t loop_idx);

/** 0 .. @n - 1. */
uint64_t plantworld_draw(struct plantworld *world, uint64_t n);

void plantworld_close(struct plantworld *world);
