/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** weatherjson - a service's JSON with errors that say file:line and what would be right. */

#include <jansson.h>

#include "scheduler/base/err.h"

struct hs_weatherjson {
    const char *file; /* name for messages; borrowed */
    const char *text; /* borrowed */
    json_t *root;     /* owned */
};

/**
 * @param file     name for messages, kept as long as @ret_doc is used, as is @text
 * @param text     NUL-terminated
 * @param ret_doc  for hs_weatherjson_fini()
 * @return 0 or -HS_E_INVALID
 */
int hs_weatherjson_parse(const char *file, const char *text, size_t n_bytes,
                         struct hs_weatherjson *ret_doc, struct hs_err *err);

/** The value at @pointer ("/hourly/time"; keys only), or NULL. Borrowed. */
json_t *hs_weatherjson_find(const struct hs_weatherjson *doc, const char *pointer);

/** Error at @pointer, with its line. @return -HS_E_INVALID */
__attribute__((format(printf, 4, 5))) int hs_weatherjson_fail(const struct hs_weatherjson *doc,
                                                              const char *pointer,
                                                              struct hs_err *err, const char *fmt,
                                                              ...);

/**
 * The text at @pointer, one of @words.
 *
 * @param words  NULL-terminated
 * @return its index, or -HS_E_INVALID naming what there is and what would be right
 */
int hs_weatherjson_get_word(const struct hs_weatherjson *doc, const char *pointer,
                            const char *const *words, struct hs_err *err);

/** Release what @doc owns. */
void hs_weatherjson_fini(struct hs_weatherjson *doc);
