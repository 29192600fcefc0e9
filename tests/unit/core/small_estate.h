/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Two sites, one loop, one sink, one rack and one host each: as small as a choice can be. */

#include "scheduler/model/estate.h"

#define SMALL_SITES      2
#define SMALL_HOST_VCPUS 8

/** The same one each time; static. Slots of 1000 s, hosts of 8 vCPUs, 16 GiB, 100-500 W. */
const struct hs_estate *small_estate(void);
