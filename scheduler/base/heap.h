/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * heap - a plain array whose first item comes before all others: the cheapest, the next in time.
 *
 * Macros over any type of item, so that nothing is called through a pointer. @comes_before is a
 * function of (const item *, const item *); where it is a strict order of all items, they come out
 * in that order whatever they went in.
 */

#include <stddef.h>

#include "scheduler/base/vec.h"

/** Let the item at @at sink to its place in a heap of @n. */
#define HS_HEAP_SINK(items, n, at, comes_before)                                                \
    do {                                                                                        \
        __typeof__(&(items)[0]) heap_ = (items);                                                \
        size_t heap_n_ = (n), heap_at_ = (at), child_ = 2 * heap_at_ + 1;                       \
        __typeof__((items)[0]) sinking_ = heap_[heap_at_];                                      \
                                                                                                \
        for (; child_ < heap_n_; child_ = 2 * heap_at_ + 1) {                                   \
            child_ += child_ + 1 < heap_n_ && comes_before(&heap_[child_ + 1], &heap_[child_]); \
            if (!comes_before(&heap_[child_], &sinking_)) {                                     \
                break;                                                                          \
            }                                                                                   \
            heap_[heap_at_] = heap_[child_];                                                    \
            heap_at_ = child_;                                                                  \
        }                                                                                       \
        heap_[heap_at_] = sinking_;                                                             \
    } while (0)

/** Put @item into the HS_VEC @vec, which is a heap. */
#define HS_HEAP_PUSH(vec, item, comes_before)                                               \
    do {                                                                                    \
        __typeof__((vec)->items[0]) rising_ = (item);                                       \
        size_t rise_at_ = (vec)->n;                                                         \
                                                                                            \
        (void)HS_VEC_PUSH((vec), rising_);                                                  \
        while (rise_at_ > 0 && comes_before(&rising_, &(vec)->items[(rise_at_ - 1) / 2])) { \
            (vec)->items[rise_at_] = (vec)->items[(rise_at_ - 1) / 2];                      \
            rise_at_ = (rise_at_ - 1) / 2;                                                  \
        }                                                                                   \
        (vec)->items[rise_at_] = rising_;                                                   \
    } while (0)

/** Take the first of *@io_n > 0 items out. */
#define HS_HEAP_TAKE(items, io_n, comes_before)              \
    ({                                                       \
        __typeof__((items)[0]) taken_ = (items)[0];          \
                                                             \
        (items)[0] = (items)[--*(io_n)];                     \
        if (*(io_n) > 0) {                                   \
            HS_HEAP_SINK((items), *(io_n), 0, comes_before); \
        }                                                    \
        taken_;                                              \
    })
