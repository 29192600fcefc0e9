/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * answers - answers that are due soon, so that no port call calls back before it has returned.
 *
 * Drained by a timer on the executor's thread, in order. Whatever is left at hs_answers_fini()
 * is called with @cancelled, so that every caller hears exactly once.
 */

#include <stdbool.h>
#include <stddef.h>

#include "scheduler/base/executor.h"
#include "scheduler/base/vec.h"

/** @param arg  taken: freed by the function */
typedef void hs_answer_fn(bool cancelled, void *arg);

struct hs_answer {
    hs_answer_fn *fn;
    void *arg;
};

struct hs_answers {
    struct hs_executor *executor;
    struct hs_timer *timer;
    HS_VEC(struct hs_answer) due;
};

/** @param executor  kept */
void hs_answers_init(struct hs_answers *answers, struct hs_executor *executor);

/** @param arg  taken */
void hs_answers_add(struct hs_answers *answers, hs_answer_fn *fn, void *arg);

void hs_answers_fini(struct hs_answers *answers);
