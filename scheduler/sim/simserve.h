/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * simserve - the simulated plant of a scenario, behind real sockets.
 *
 * Says what its points (estate.json) say it should, by Modbus TCP and MQTT, and takes the racks'
 * power from whoever writes it there. Time begins with the first Modbus client (without devices,
 * with the first broker) and runs as fast as asked.
 */

#include "adapters/plant/registers.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/err.h"
#include "scheduler/base/executor.h"
#include "scheduler/base/jsonx.h"
#include "scheduler/sim/scenario.h"
#include "scheduler/sim/servefault.h"

struct hs_simserve;

/** A Modbus device to be. */
struct hs_simserve_modbus {
    char name[HS_NAME_MAX];
    char host[64];
    int port; /* 0: any */
    struct hs_registers_defaults defaults;
    int heartbeat; /* holding register, as on the wire, that counts up; -1: none */
};

/** A broker to speak at. */
struct hs_simserve_mqtt {
    char name[HS_NAME_MAX];
    char host[64];
    int port;
};

struct hs_simserve_options {
    struct hs_executor *executor;            /* kept */
    const struct hs_scenario *scenario;      /* kept */
    const struct hs_simserve_modbus *modbus; /* [n_modbus] borrowed */
    size_t n_modbus;
    const struct hs_simserve_mqtt *mqtt; /* [n_mqtt] borrowed */
    size_t n_mqtt;
    const struct hs_servefault *faults; /* [n_faults] kept */
    size_t n_faults;
    double speed;     /* plan s per real s */
    int64_t period_s; /* plan s between two looks at the truth; at least 50 ms real */
    int64_t span_s;   /* plan s after which done is called; 0: never */
    void (*done)(void *arg);
    void *arg;
};

/** Listens at once. @return 0, -HS_E_INVALID for points that cannot be served, -HS_E_SYSTEM */
int hs_simserve_new(const struct hs_simserve_options *options, struct hs_simserve **ret_serve,
                    struct hs_err *err);

/** Port of the device, whatever was asked for. */
int hs_simserve_get_port(const struct hs_simserve *serve, size_t modbus_idx);

/** Points of the map that nobody simulates, so that they say nothing. Owned by the caller (free).
 */
char *hs_simserve_format_silent(const struct hs_simserve *serve);

/** The truth up to now and what the plant was told (docs/simulator.md). Owned by the caller. */
json_t *hs_simserve_format(const struct hs_simserve *serve);

/** Accepts NULL. */
void hs_simserve_free(struct hs_simserve *serve);
HS_DEFINE_AUTO(hs_simserve);
