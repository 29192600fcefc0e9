/* SPDX-License-Identifier: Apache-2.0 */
/* conf_nearest - which known word a mistyped one was meant to be, by edit distance. */
#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "scheduler/base/conf.h"

#define WORD_MAX 64

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: insert, remove, replace, or swap two neighbours. Case is free. */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][WORD_MAX + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    size_t n_a = strlen(a), n_b = strlen(b);

    for (size_t j = 0; j <= n_b; j++) {
        last[j] = j;
    }
    for (size_t i = 1; i <= n_a; i++) {
        size_t *spare = before;

        row[0] = i;
        for (size_t j = 1; j <= n_b; j++) {
            int x = tolower((unsigned char)a[i - 1]), y = tolower((unsigned char)b[j - 1]);

            row[j] = least(least(last[j] + 1, row[j - 1] + 1), last[j - 1] + (x != y ? 1 : 0));
            if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2])
                && y == tolower((unsigned char)a[i - 2])) {
                row[j] = least(row[j], before[j - 2] + 1);
            }
        }
        before = last;
        last = row;
        row = spare;
    }
    return last[n_b];
}

/* How many slips still look like the same word: one in three letters, two in short words. */
static size_t slips_allowed(size_t n)
{
    return n <= 3 ? 1 : n <= 8 ? 2 : n / 3;
}

const char *hs_conf_nearest(const char *const *words, const char *word)
{
    const char *best = NULL;
    size_t n = strlen(word);
    size_t best_distance = SIZE_MAX;

    if (n == 0 || n > WORD_MAX) {
        return NULL;
    }
    for (; *words != NULL; words++) {
        size_t n_slips;

        if (strlen(*words) > WORD_MAX) {
            continue;
        }
        n_slips = distance(word, *words);
        /* The start of a longer word, such as "volume" for "volume_l", is as good as one slip. */
        if (n >= 3 && strncasecmp(*words, word, n) == 0) {
            n_slips = least(n_slips, 1);
        }
        if (n_slips <= slips_allowed(n) && n_slips < best_distance) {
            best = *words;
            best_distance = n_slips;
        }
    }
    return best;
}
