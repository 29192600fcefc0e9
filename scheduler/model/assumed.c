/* SPDX-License-Identifier: Apache-2.0 */
/* assumed - keeping and telling what the catalogue gave. */
#include "scheduler/model/assumed.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/jsonx.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/vec.h"

static struct hs_assumed *add(struct hs_assumed_list *list, const char *path, const char *field,
                              const char *source)
{
    struct hs_assumed item = {.value = NAN, .source = source};

    snprintf(item.path, sizeof(item.path), "%s", path);
    snprintf(item.field, sizeof(item.field), "%s", field);
    return HS_VEC_PUSH(list, item);
}

void hs_assumed_add_real(struct hs_assumed_list *list, const char *path, const char *field,
                         double value, const char *source)
{
    add(list, path, field, source)->value = value;
}

void hs_assumed_add_word(struct hs_assumed_list *list, const char *path, const char *field,
                         const char *word, const char *source)
{
    struct hs_assumed *item = add(list, path, field, source);

    snprintf(item->word, sizeof(item->word), "%s", word);
}

static bool is_below(const char *path, const char *site)
{
    size_t n = strlen(site);

    return strncmp(path, site, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

json_t *hs_assumed_format(const struct hs_assumed_list *list, const char *site)
{
    json_t *items = hs_jsonx_array();

    for (size_t i = 0; i < list->n; i++) {
        const struct hs_assumed *assumed = &list->items[i];
        json_t *item;

        if (site != NULL && !is_below(assumed->path, site)) {
            continue;
        }
        item = hs_jsonx_object();
        hs_jsonx_set_text(item, "path", assumed->path);
        hs_jsonx_set_text(item, "field", assumed->field);
        if (isnan(assumed->value)) {
            hs_jsonx_set_text(item, "value", assumed->word);
        } else {
            hs_jsonx_set_real(item, "value", assumed->value);
        }
        hs_jsonx_set_text(item, "source", assumed->source);
        hs_jsonx_add(items, item);
    }
    return items;
}

char *hs_assumed_format_text(const struct hs_assumed_list *list, size_t n_max)
{
    char *text = NULL;
    size_t n_bytes = 0;
    const char *path = "";
    FILE *out = open_memstream(&text, &n_bytes);

    if (out == NULL) {
        hs_mem_exhausted();
    }
    if (list->n > 0) {
        fprintf(out, "%zu value%s assumed, neither given nor measured:", list->n,
                list->n == 1 ? " is" : "s are");
    }
    for (size_t i = 0; i < list->n && i < n_max; i++) {
        const struct hs_assumed *item = &list->items[i];

        if (strcmp(path, item->path) != 0) {
            fprintf(out, "%s %s", i > 0 ? ";" : "", item->path);
            path = item->path;
        } else {
            fputs(",", out);
        }
        if (isnan(item->value)) {
            fprintf(out, " %s %s", item->field, item->word);
        } else {
            fprintf(out, " %s %.4g", item->field, item->value);
        }
    }
    if (list->n > n_max) {
        fprintf(out, "; and %zu more", list->n - n_max);
    }
    if (fclose(out) != 0) {
        hs_mem_exhausted();
    }
    return text;
}

void hs_assumed_list_fini(struct hs_assumed_list *list)
{
    HS_VEC_FINI(list);
}
