/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * small_world - a made-up run: two sites with a host of 8 vCPUs each, and a script of events.
 *
 * A host idles at 100 W and takes 50 W a busy vCPU; eight tenths of it reach a loop with a tank
 * and a sink that wants 300 W all the time. Slots of 900 s.
 */

#include "scheduler/sim/controller.h"
#include "scheduler/sim/jobtrace.h"
#include "scheduler/sim/scenario.h"
#include "scheduler/sim/simrun.h"
#include "scheduler/sim/trace.h"

#define SMALL_START_AT_S 1767571200 /* 2026-01-05T00:00:00Z */
#define SMALL_SLOT_S     900
#define SMALL_DEMAND_W   300.0

enum { SMALL_POOL, SMALL_OFFICE };

struct small_world {
    struct hs_scenario scenario;
    struct hs_conf_report report;
    struct hs_simjobs jobs;
    struct hs_trace *trace;
    struct hs_simrun *run;
};

/** @param events  JSON list; its errors stay in world->report, their number is returned */
size_t small_world_open(struct small_world *world, int days, const char *events);

/** Submitted @submit_s into the run, as long as estimated, due @slack_s after its earliest end. */
void small_world_add_job(struct small_world *world, double submit_s, double run_s, uint32_t vcpus,
                         double slack_s, bool interruptible);

/** Make the run of the jobs added so far. */
void small_world_start(struct small_world *world);

/** Seconds since the start, as an instant. */
double small_world_at_s(double span_s);

void small_world_close(struct small_world *world);
