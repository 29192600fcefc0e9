/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * compute_worlds - the hosts that the compute contract is held over: simulated, libvirt's test
 * driver, and QEMU guests under a private libvirtd.
 */

#include <stdbool.h>

#include "adapters/compute/compute.h"

#define FOREIGN_NAME "hs-77" /* the name of job 77's machine, but not our machine */
#define FOREIGN_JOB  77
#define COPY_NAME    "copy-of-hs-78" /* WORLD_TEST: with a tag that was copied along */
#define COPY_JOB     78

struct hs_world {
    const char *name;
    bool has_guests; /* scripts really run */
    bool has_end;    /* a job ends by itself */
    bool is_lasting; /* machines outlive the port that made them */
    bool has_consoles;
    char dir[64]; /* of its own, deleted at the end */
    char uri[200];
    struct hs_image image;
    const char *absent; /* why it cannot be had here; NULL if it can */
};

enum { WORLD_SIM, WORLD_TEST, WORLD_QEMU, N_WORLDS };
extern struct hs_world hs_worlds[N_WORLDS];

/** Starts what they need. */
void hs_worlds_start(void);
void hs_worlds_stop(void);

/** Put FOREIGN_NAME on the host, if it is not there already. */
void hs_worlds_make_foreign(struct hs_world *world, struct hs_compute *compute);

/** Is the guest's machine running, asked without our code? -1: this world cannot say. */
int hs_worlds_is_running(const struct hs_world *world, const char *name);

/** Define a guest of WORLD_QEMU that runs, and take the definition away again: it runs on. */
void hs_worlds_define(const char *name);
void hs_worlds_undefine(const char *name);

/** Signal the libvirtd of WORLD_QEMU, and start it again after a kill. */
void hs_worlds_signal_daemon(int signum);
void hs_worlds_start_daemon(void);
