/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * record - a stored text in its envelope: schema version and checksum, so that neither damage nor
 * another version is taken for what was written.
 *
 * `1:9ae0daaf:{"id":12,…}`: schema, CRC-32 in hex, the text. The checksum covers schema, table and
 * key as well: a record that was put elsewhere is damaged. A text without an envelope is of schema
 * 0, from before there were envelopes. Older schemas are carried forward step by step.
 */

#include <stdbool.h>
#include <stddef.h>

#include "scheduler/base/err.h"

/** Schema of what is written now; docs/contribute: raise it with a step and a fixture. */
#define HS_RECORD_SCHEMA 1

/**
 * Carry @text of @table from one schema to the next.
 *
 * @return owned by the caller (free), or NULL if it cannot be read
 */
typedef char *hs_record_step_fn(const char *table, const char *key, const char *text);

/** How to come from schema i to i + 1; a step that is NULL changes nothing in any text. */
struct hs_record_chain {
    unsigned schema;                 /* where it ends */
    hs_record_step_fn *const *steps; /* [schema] */
};

/** From everything that was ever released to HS_RECORD_SCHEMA. */
extern const struct hs_record_chain hs_record_chain_now;

/** @text in its envelope; owned by the caller (free). @param key  "" for an entry of a log */
char *hs_record_seal(unsigned schema, const char *table, const char *key, const char *text);

/**
 * Take @sealed out of its envelope and carry it forward to the end of @chain.
 *
 * @param ret_text  borrowed from @sealed, or from @ret_owned where that is set
 * @param ret_owned owned by the caller (free), NULL if nothing had to be changed
 * @return 0, -HS_E_PROTOCOL (damaged), -HS_E_UNSUPPORTED (of a newer schema)
 */
int hs_record_open(const struct hs_record_chain *chain, const char *table, const char *key,
                   const char *sealed, const char **ret_text, char **ret_owned, struct hs_err *err);
