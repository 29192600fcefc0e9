/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** probe_priv - what probe.c and its kinds of target share. */

#include <stdbool.h>
#include <stdint.h>

#include "scheduler/base/err.h"
#include "scheduler/base/jsonx.h"

/** What is to be looked at, and how. Texts borrowed. */
struct hs_probe {
    const char *target; /* as it was written */
    bool is_json;
    int count;     /* registers, messages or entries; 0: the kind's own */
    int base;      /* of a register's address */
    int64_t for_s; /* how long to listen */
    double timeout_s;
    const char *cell;
    const char *user;
    const char *password_file;
    const char *ca;
};

/** Each prints what it finds. @return 0 or what went wrong; -HS_E_INVALID: a bad target */
int hs_probe_read_modbus(const struct hs_probe *probe, struct hs_err *err);
int hs_probe_hear_mqtt(const struct hs_probe *probe, struct hs_err *err);
int hs_probe_read_stream(const struct hs_probe *probe, struct hs_err *err);

/** Print @json as one line. */
void hs_probe_print(const json_t *json);
