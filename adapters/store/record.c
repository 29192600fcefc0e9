/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/store/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/mem.h"

#define SCHEMA_DIGITS_MAX 6
#define CRC_DIGITS        8
#define PREFIX_MAX        24 /* "123456:" and "9ae0daaf:" */

static hs_record_step_fn *const steps[HS_RECORD_SCHEMA] = {
    NULL, /* 0 to 1: the envelope is new, the texts are as they were */
};

const struct hs_record_chain hs_record_chain_now = {.schema = HS_RECORD_SCHEMA, .steps = steps};

/** Of schema, table, key and text, each with its end, so that none can lend to the next. */
static unsigned find_crc(unsigned schema, const char *table, const char *key, const char *text)
{
    char digits[16];
    int n = snprintf(digits, sizeof(digits), "%u", schema);
    uLong crc = crc32(0, (const Bytef *)digits, (uInt)n + 1);

    crc = crc32_z(crc, (const Bytef *)table, strlen(table) + 1);
    crc = crc32_z(crc, (const Bytef *)key, strlen(key) + 1);
    crc = crc32_z(crc, (const Bytef *)text, strlen(text) + 1);
    return (unsigned)crc;
}

char *hs_record_seal(unsigned schema, const char *table, const char *key, const char *text)
{
    size_t n = strlen(text) + 1;
    char prefix[PREFIX_MAX];
    size_t n_prefix = (size_t)snprintf(prefix, sizeof(prefix), "%u:%08x:", schema,
                                       find_crc(schema, table, key, text));
    char *sealed = hs_xcalloc(n_prefix + n, 1);

    memcpy(sealed, prefix, n_prefix);
    memcpy(sealed + n_prefix, text, n);
    return sealed;
}

/**
 * Before there were envelopes a record was a JSON object or, in `meta`, a word of hex digits: no
 * single wrong byte makes that of an envelope.
 */
static bool is_bare(const char *text)
{
    size_t n = strspn(text, "0123456789abcdef");

    return text[0] == '{' || (n > 0 && text[n] == '\0');
}

/** Read "SCHEMA:CRC:". @return the text behind it, or NULL if this is no envelope */
static const char *split(const char *sealed, unsigned *ret_schema, unsigned *ret_crc)
{
    size_t n = strspn(sealed, "0123456789");
    const char *crc = sealed + n + 1;

    if (n < 1 || n > SCHEMA_DIGITS_MAX || (n > 1 && sealed[0] == '0') || sealed[n] != ':'
        || strspn(crc, "0123456789abcdef") != CRC_DIGITS || crc[CRC_DIGITS] != ':') {
        return NULL;
    }
    *ret_schema = (unsigned)strtoul(sealed, NULL, 10);
    *ret_crc = (unsigned)strtoul(crc, NULL, 16);
    return crc + CRC_DIGITS + 1;
}

static int migrate(const struct hs_record_chain *chain, unsigned schema, const char *table,
                   const char *key, const char **io_text, char **ret_owned, struct hs_err *err)
{
    HS_AUTO_MEM char *owned = NULL;

    for (; schema < chain->schema; schema++) {
        char *next;

        if (chain->steps[schema] == NULL) {
            continue;
        }
        next = chain->steps[schema](table, key, *io_text);
        if (next == NULL) {
            return hs_err_set(err, HS_E_PROTOCOL, NULL,
                              "record '%s/%.64s' cannot be carried from schema %u to %u", table,
                              key, schema, schema + 1);
        }
        free(owned);
        owned = next;
        *io_text = next;
    }
    *ret_owned = HS_STEAL(owned);
    return 0;
}

int hs_record_open(const struct hs_record_chain *chain, const char *table, const char *key,
                   const char *sealed, const char **ret_text, char **ret_owned, struct hs_err *err)
{
    unsigned schema = 0;
    unsigned crc = 0;
    const char *text = split(sealed, &schema, &crc);
    int rc;

    if (text == NULL && !is_bare(sealed)) {
        return hs_err_set(err, HS_E_PROTOCOL, NULL,
                          "record '%s/%.64s' is damaged: its envelope cannot be read", table, key);
    }
    if (text != NULL && crc != find_crc(schema, table, key, text)) {
        return hs_err_set(err, HS_E_PROTOCOL, NULL,
                          "record '%s/%.64s' is damaged: its checksum is %08x, its envelope says "
                          "%08x",
                          table, key, find_crc(schema, table, key, text), crc);
    }
    if (schema > chain->schema) {
        return hs_err_set(err, HS_E_UNSUPPORTED, NULL,
                          "record '%s/%.64s' has schema %u, this hschedd reads up to %u: run the "
                          "newer one",
                          table, key, schema, chain->schema);
    }
    text = text != NULL ? text : sealed;
    rc = migrate(chain, schema, table, key, &text, ret_owned, err);
    if (rc == 0) {
        *ret_text = text;
    }
    return rc;
}
