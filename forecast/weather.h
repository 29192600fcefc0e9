/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** weather - the air outside, as models of heat see it: values that sources of weather fill. */

#include "scheduler/model/outlook.h"
