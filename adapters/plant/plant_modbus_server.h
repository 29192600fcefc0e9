/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * plant_modbus_server - a Modbus TCP device made of software: four tables that others read and
 * write.
 *
 * The simulator's other side of plant_modbus.h. Answers for every unit. Addresses are those of the
 * wire, from 0. All calls and callbacks on the executor's thread; a client that sends half a
 * request holds it up for half a second at most.
 */

#include <stddef.h>
#include <stdint.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/err.h"
#include "scheduler/base/executor.h"
#include "scheduler/model/pointmap.h"

struct hs_plant_modbus_server;

struct hs_plant_modbus_server_options {
    struct hs_executor *executor; /* kept */
    const char *host;             /* IPv4 address to listen on */
    int port;                     /* 0: any free one */
    void (*connected)(void *arg); /* nullable: a client has come */
    void (*written)(void *arg);   /* nullable: a client has written something */
    void *arg;
};

/** Listens at once, all tables zero. @return 0 or -HS_E_SYSTEM */
int hs_plant_modbus_server_new(const struct hs_plant_modbus_server_options *options,
                               struct hs_plant_modbus_server **ret_server, struct hs_err *err);

int hs_plant_modbus_server_get_port(const struct hs_plant_modbus_server *server);

/** Set or read @n registers (or bits) from @address on. */
void hs_plant_modbus_server_set(struct hs_plant_modbus_server *server, enum hs_pointmap_table table,
                                int address, const uint16_t *words, int n);
void hs_plant_modbus_server_get(const struct hs_plant_modbus_server *server,
                                enum hs_pointmap_table table, int address, uint16_t *ret_words,
                                int n);

/** There is no such register (or bit), or there is again: a read over a hole is refused whole. */
void hs_plant_modbus_server_set_hole(struct hs_plant_modbus_server *server,
                                     enum hs_pointmap_table table, int address, bool is_hole);

/** A fault: end all connections, and new ones at once, until told otherwise. */
void hs_plant_modbus_server_set_down(struct hs_plant_modbus_server *server, bool is_down);

/** A fault: take requests and never answer. */
void hs_plant_modbus_server_set_mute(struct hs_plant_modbus_server *server, bool is_mute);

/** Accepts NULL. */
void hs_plant_modbus_server_free(struct hs_plant_modbus_server *server);
HS_DEFINE_AUTO(hs_plant_modbus_server);
