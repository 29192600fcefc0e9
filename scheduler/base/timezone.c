/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timezone - all changes until 2100 lie in one sorted table; an index with one entry for every
 * 24 days leads to the right place, so a lookup is a shift and a step or two.
 */
#include "scheduler/base/timezone.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/civil.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/timezone_rule.h"

#define HEADER_BYTES    44
#define TYPE_BYTES      6
#define MAX_CHANGES     20000
#define OFFSET_MIN_S    (-89999) /* RFC 8536 section 3.2 */
#define OFFSET_MAX_S    93599
#define INDEX_SHIFT     21 /* 2^21 s are 24 days */
#define END_YEAR        2100
#define END_AT_S        INT64_C(4102444800) /* 2100-01-01 */
#define N_INDEX         ((size_t)(END_AT_S >> INDEX_SHIFT) + 1)
#define FIRST_RULE_YEAR 1900 /* of a zone that is nothing but its footer */
#define NAME_MAX_BYTES  64

struct hs_timezone {
    char name[NAME_MAX_BYTES];
    int32_t first_offset_s; /* before the first change */
    size_t n_changes;
    struct hs_timezone_rule_event *changes; /* [n_changes], ascending */
    bool has_rule;                          /* for what lies past END_AT_S */
    struct hs_timezone_rule rule;
    uint16_t passed[N_INDEX]; /* changes at or before the start of each span from 1970 on */
};

/* One data block of the file. */
struct block {
    char version;
    size_t n_isut, n_isstd, n_leap, n_changes, n_types, n_chars;
    size_t time_bytes; /* 4 in the block of version 1, 8 in that of later ones */
    const uint8_t *data;
    size_t n_bytes;
};

static int64_t read_int(const uint8_t *at, size_t n_bytes)
{
    uint64_t value = (at[0] & 0x80) != 0 ? UINT64_MAX : 0;

    for (size_t i = 0; i < n_bytes; i++) {
        value = value << 8 | at[i];
    }
    return (int64_t)value;
}

static size_t read_count(const uint8_t *at)
{
    return (size_t)read_int(at, 4) & UINT32_MAX;
}

static int fail(const char *name, const char *text, struct hs_err *err)
{
    return hs_err_set(err, HS_E_INVALID, name,
                      "the data of time zone '%.60s' %s; install package tzdata again", name, text);
}

/* Measure the block at @bytes. */
static bool read_block(const uint8_t *bytes, size_t n_bytes, bool is_first, struct block *ret_block)
{
    struct block block;

    if (n_bytes < HEADER_BYTES || memcmp(bytes, "TZif", 4) != 0) {
        return false;
    }
    block.version = (char)bytes[4];
    block.n_isut = read_count(bytes + 20);
    block.n_isstd = read_count(bytes + 24);
    block.n_leap = read_count(bytes + 28);
    block.n_changes = read_count(bytes + 32);
    block.n_types = read_count(bytes + 36);
    block.n_chars = read_count(bytes + 40);
    block.time_bytes = is_first ? 4 : 8;
    block.data = bytes + HEADER_BYTES;
    /* counts are below 2^32, so sums of a few products stay far below 2^64 */
    block.n_bytes = block.n_changes * (block.time_bytes + 1) + block.n_types * TYPE_BYTES
                    + block.n_chars + block.n_leap * (block.time_bytes + 4) + block.n_isstd
                    + block.n_isut;
    if (block.n_bytes > n_bytes - HEADER_BYTES) {
        return false;
    }
    *ret_block = block;
    return true;
}

static bool read_offset(const struct block *block, size_t type, int32_t *ret_offset_s)
{
    const uint8_t *types = block->data + block->n_changes * (block->time_bytes + 1);
    int64_t offset_s;

    if (type >= block->n_types) {
        return false;
    }
    offset_s = read_int(types + type * TYPE_BYTES, 4);
    *ret_offset_s = (int32_t)offset_s;
    return offset_s >= OFFSET_MIN_S && offset_s <= OFFSET_MAX_S;
}

/* Fill the table from @block; room for the years of the footer is kept. */
static bool read_changes(struct hs_timezone *zone, const struct block *block)
{
    const uint8_t *types = block->data + block->n_changes * block->time_bytes;

    if (block->n_changes > MAX_CHANGES || !read_offset(block, 0, &zone->first_offset_s)) {
        return false;
    }
    zone->changes =
        hs_xcalloc(block->n_changes + 2 * (END_YEAR - FIRST_RULE_YEAR + 1), sizeof(*zone->changes));
    for (size_t i = 0; i < block->n_changes; i++) {
        struct hs_timezone_rule_event *change = &zone->changes[i];

        change->at_s = read_int(block->data + i * block->time_bytes, block->time_bytes);
        if (!read_offset(block, types[i], &change->offset_s)
            || (i > 0 && change->at_s <= zone->changes[i - 1].at_s)) {
            return false;
        }
    }
    zone->n_changes = block->n_changes;
    return true;
}

/* The footer lies between two newlines; an empty one says that nothing is known. */
static bool read_footer(struct hs_timezone *zone, const uint8_t *bytes, size_t n_bytes)
{
    const uint8_t *end;

    if (n_bytes < 2 || bytes[0] != '\n') {
        return false;
    }
    end = memchr(bytes + 1, '\n', n_bytes - 1);
    if (end == NULL) {
        return false;
    }
    if (end == bytes + 1) {
        return true;
    }
    zone->has_rule =
        hs_timezone_rule_parse((const char *)bytes + 1, (size_t)(end - bytes - 1), &zone->rule);
    return zone->has_rule;
}

static int compare_events(const void *a, const void *b)
{
    const struct hs_timezone_rule_event *x = a, *y = b;

    return x->at_s < y->at_s ? -1 : x->at_s > y->at_s;
}

/* Changes that the footer foresees after the last of the table. */
static void extend(struct hs_timezone *zone)
{
    size_t n_read = zone->n_changes;
    int64_t last_at_s = n_read > 0 ? zone->changes[n_read - 1].at_s : INT64_MIN;
    int64_t year = n_read > 0 ? hs_civil_get_date(last_at_s / 86400).year : FIRST_RULE_YEAR;

    if (!zone->has_rule) {
        return;
    }
    if (n_read == 0) {
        zone->first_offset_s = zone->rule.standard_s;
    }
    if (!zone->rule.has_summer) {
        return;
    }
    for (year = year > FIRST_RULE_YEAR ? year : FIRST_RULE_YEAR; year <= END_YEAR; year++) {
        struct hs_timezone_rule_event events[2];

        hs_timezone_rule_get_events(&zone->rule, year, events);
        /* summer without end: it begins again in the second in which it ends */
        for (int i = events[0].at_s <= events[1].at_s ? 0 : 1, k = 0; k < 2; k++, i = 1 - i) {
            size_t n = zone->n_changes;

            if (events[i].at_s <= last_at_s) {
                continue;
            }
            if (n > n_read && events[i].at_s == zone->changes[n - 1].at_s) {
                zone->changes[n - 1].offset_s = events[i].offset_s;
            } else {
                zone->changes[zone->n_changes++] = events[i];
            }
        }
    }
    qsort(zone->changes, zone->n_changes, sizeof(*zone->changes), compare_events);
}

static void fill_index(struct hs_timezone *zone)
{
    size_t i = 0;

    for (size_t k = 0; k < N_INDEX; k++) {
        while (i < zone->n_changes && zone->changes[i].at_s <= (int64_t)k << INDEX_SHIFT) {
            i++;
        }
        zone->passed[k] = (uint16_t)i;
    }
}

int hs_timezone_parse(const char *name, const uint8_t *bytes, size_t n_bytes,
                      struct hs_timezone **ret_timezone, struct hs_err *err)
{
    HS_AUTO(hs_timezone) zone = hs_xcalloc(1, sizeof(*zone));
    struct block block;
    size_t used;

    strncpy(zone->name, name, NAME_MAX_BYTES - 1);
    if (!read_block(bytes, n_bytes, true, &block)) {
        return fail(name, "is no whole TZif file", err);
    }
    used = HEADER_BYTES + block.n_bytes;
    if (block.version >= '2') {
        if (!read_block(bytes + used, n_bytes - used, false, &block)) {
            return fail(name, "is cut short", err);
        }
        used += HEADER_BYTES + block.n_bytes;
    }
    if (block.n_leap > 0) {
        return hs_err_set(err, HS_E_INVALID, name,
                          "time zone '%.60s' counts leap seconds, name one without 'right/'", name);
    }
    if (!read_changes(zone, &block)) {
        return fail(name, "has a damaged table", err);
    }
    if (block.version >= '2' && !read_footer(zone, bytes + used, n_bytes - used)) {
        return fail(name, "has a damaged footer", err);
    }
    extend(zone);
    fill_index(zone);
    *ret_timezone = HS_STEAL(zone);
    return 0;
}

/* Changes at or before @at_s, anywhere in the table. */
static size_t count_passed(const struct hs_timezone *zone, int64_t at_s)
{
    size_t low = 0, high = zone->n_changes;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (zone->changes[middle].at_s <= at_s) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

int32_t hs_timezone_get_offset_s(const struct hs_timezone *timezone, int64_t at_s)
{
    size_t n;

    if (timezone == NULL) {
        return 0;
    }
    if (at_s >= END_AT_S && timezone->has_rule) {
        return hs_timezone_rule_get_offset_s(&timezone->rule, at_s);
    }
    if (at_s < 0 || at_s >= END_AT_S) {
        n = count_passed(timezone, at_s);
    } else {
        n = timezone->passed[at_s >> INDEX_SHIFT];
        while (n < timezone->n_changes && timezone->changes[n].at_s <= at_s) {
            n++;
        }
    }
    return n > 0 ? timezone->changes[n - 1].offset_s : timezone->first_offset_s;
}

const char *hs_timezone_get_name(const struct hs_timezone *timezone)
{
    return timezone != NULL ? timezone->name : "UTC";
}

void hs_timezone_free(struct hs_timezone *timezone)
{
    if (timezone != NULL) {
        free(timezone->changes);
        free(timezone);
    }
}
