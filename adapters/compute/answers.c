/* SPDX-License-Identifier: Apache-2.0 */
/* answers - a queue of callbacks behind one timer. */
#include "adapters/compute/answers.h"

static void answers_drain(struct hs_answers *answers, bool cancelled)
{
    struct hs_answer *batch = answers->due.items;
    size_t n = answers->due.n;

    /* a callback may add more: they wait for the next turn */
    answers->due.items = NULL;
    answers->due.n = 0;
    answers->due.n_max = 0;
    for (size_t i = 0; i < n; i++) {
        batch[i].fn(cancelled, batch[i].arg);
    }
    free(batch);
}

static void answers_fire(void *arg)
{
    answers_drain(arg, false);
}

void hs_answers_init(struct hs_answers *answers, struct hs_executor *executor)
{
    *answers = (struct hs_answers){.executor = executor};
    answers->timer = hs_executor_timer_add(executor, -1.0, answers_fire, answers);
}

void hs_answers_add(struct hs_answers *answers, hs_answer_fn *fn, void *arg)
{
    HS_VEC_PUSH(&answers->due, ((struct hs_answer){.fn = fn, .arg = arg}));
    hs_executor_timer_set(answers->executor, answers->timer, 0.0);
}

void hs_answers_fini(struct hs_answers *answers)
{
    while (answers->due.n > 0) {
        answers_drain(answers, true);
    }
    hs_executor_timer_remove(answers->executor, answers->timer);
    answers->timer = NULL;
}
