/* SPDX-License-Identifier: Apache-2.0 */
/* pointmap - `points` of estate.json: one table of fields, and rules that need several of them. */
#include "scheduler/model/pointmap.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/mem.h"

#define N_OF(array)        (sizeof(array) / sizeof((array)[0]))
#define REGISTERS          65536
#define MAX_AGE_DEFAULT_S  300
#define MAX_AGE_MOST_S     (30 * 86400.0)
#define CONFIRM_DEFAULT    3
#define UNTIL_DEVICE       (-1)
#define AT(member)         .offset = offsetof(struct entry, member)
#define WORD_FIELD(member) AT(member), .size = sizeof(((struct entry *)NULL)->member)

const char *const hs_pointmap_table_words[] = {"holding", "input", "coil", "discrete", NULL};
const char *const hs_pointmap_type_words[] = {"int16",  "uint16",  "int32",   "uint32", "int64",
                                              "uint64", "float32", "float64", "bool",   NULL};
const char *const hs_pointmap_order_words[] = {"ABCD", "CDAB", "BADC", "DCBA", NULL};

/* An entry as it is written; words become enums afterwards. */
struct entry {
    struct hs_pointmap_row row;
    char table[16];
    char type[16];
    char order[8];
};

static const struct hs_conf_field fields[] = {
    {.name = "modbus",
     .type = HS_CONF_TEXT,
     WORD_FIELD(row.modbus),
     .help = "name of a device under plant.modbus of hschedd.json"},
    {.name = "table",
     .type = HS_CONF_WORD,
     WORD_FIELD(table),
     .words = hs_pointmap_table_words,
     .default_text = "holding",
     .help = "Modbus: which of the device's four tables; hschedd writes holding and coil only"},
    {.name = "address",
     .type = HS_CONF_INT,
     AT(row.reg.address),
     .min = 0,
     .max = REGISTERS,
     .has_default = true,
     .default_number = UNTIL_DEVICE,
     .help = "Modbus: number of the register or bit, as the maker's list writes it"},
    {.name = "base",
     .type = HS_CONF_INT,
     AT(row.reg.base),
     .min = 0,
     .max = 1,
     .has_default = true,
     .default_number = UNTIL_DEVICE,
     .help = "Modbus: what the list calls the first register, 0 or 1; absent is the device's"},
    {.name = "unit",
     .type = HS_CONF_INT,
     AT(row.reg.unit),
     .min = 0,
     .max = 255,
     .has_default = true,
     .default_number = UNTIL_DEVICE,
     .help = "Modbus: which unit behind the address; absent is the device's"},
    {.name = "type",
     .type = HS_CONF_WORD,
     WORD_FIELD(type),
     .words = hs_pointmap_type_words,
     .help = "Modbus: how the number is kept; absent is int16, of a coil or discrete bool"},
    {.name = "word_order",
     .type = HS_CONF_WORD,
     WORD_FIELD(order),
     .words = hs_pointmap_order_words,
     .help = "Modbus: how its bytes lie in the registers; absent is the device's. `hsched plant "
             "probe` shows a register in all four"},
    {.name = "scale",
     .type = HS_CONF_REAL,
     AT(row.reg.scale),
     .min = -1e9,
     .max = 1e9,
     .has_default = true,
     .default_number = 1,
     .help = "value = number x scale + offset; of a written point the other way round"},
    {.name = "offset",
     .type = HS_CONF_REAL,
     AT(row.reg.offset),
     .min = -1e9,
     .max = 1e9,
     .has_default = true,
     .default_number = 0,
     .help = "added after scale, in the point's unit"},
    {.name = "sentinels",
     .type = HS_CONF_ANY,
     .help = "list of up to 4 numbers, before scale, by which the device says that it knows "
             "nothing, as 65535 or -32768"},
    {.name = "rollover",
     .type = HS_CONF_REAL,
     AT(row.reg.rollover),
     .min = 1,
     .max = 1e15,
     .has_default = true,
     .default_number = NAN,
     .help = "of a counter: the number, before scale, at which it begins anew at 0, as 100000000; "
             "absent: the range of uint16 and uint32"},
    {.name = "mqtt",
     .type = HS_CONF_TEXT,
     WORD_FIELD(row.mqtt),
     .help = "name of a broker under plant.mqtt of hschedd.json"},
    {.name = "topic",
     .type = HS_CONF_TEXT,
     WORD_FIELD(row.topic),
     .help = "MQTT: the topic, without wildcards"},
    {.name = "pointer",
     .type = HS_CONF_TEXT,
     WORD_FIELD(row.member),
     .help = "MQTT: JSON pointer (RFC 6901) to the number in the payload; absent: the payload is "
             "the number"},
    {.name = "write",
     .type = HS_CONF_BOOL,
     AT(row.is_write),
     .has_default = true,
     .default_number = 0,
     .help = "hschedd writes this point, if the device's write is on; else it reads it"},
    {.name = "min",
     .type = HS_CONF_REAL,
     AT(row.rule.min),
     .has_default = true,
     .default_number = NAN,
     .help = "lower is no value; absent: what the quantity can be at all"},
    {.name = "max",
     .type = HS_CONF_REAL,
     AT(row.rule.max),
     .has_default = true,
     .default_number = NAN,
     .help = "higher is no value"},
    {.name = "rate_per_s",
     .type = HS_CONF_REAL,
     AT(row.rule.rate_per_s),
     .min = 1e-9,
     .max = 1e9,
     .has_default = true,
     .default_number = NAN,
     .help = "most that it can change in a second; what jumps further is believed when `confirm` "
             "readings agree"},
    {.name = "max_age",
     .type = HS_CONF_DURATION,
     AT(row.rule.max_age_s),
     .min = 1,
     .max = MAX_AGE_MOST_S,
     .has_default = true,
     .default_number = MAX_AGE_DEFAULT_S,
     .help = "an older value is stale"},
    {.name = "stuck_after",
     .type = HS_CONF_DURATION,
     AT(row.rule.stuck_after_s),
     .min = 0,
     .max = MAX_AGE_MOST_S,
     .has_default = true,
     .default_number = 0,
     .help = "so long without the least change, the sensor is stuck; 0s: it may stand still"},
    {.name = "confirm",
     .type = HS_CONF_INT,
     AT(row.rule.confirm),
     .min = 1,
     .max = 100,
     .has_default = true,
     .default_number = CONFIRM_DEFAULT,
     .help = "so many readings of one connection must agree after it is made, and after a jump"},
};
const struct hs_conf_table hs_pointmap_table = {"point", fields, N_OF(fields)};

struct reader {
    const struct hs_estate *estate;
    struct hs_conf_report *report;
    struct hs_pointmap *map;
};

static int find_word(const char *const *words, const char *word, int fallback)
{
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], word) == 0) {
            return i;
        }
    }
    return fallback;
}

static void read_sentinels(const json_t *item, struct reader *r, struct hs_pointmap_row *row)
{
    const json_t *list = json_object_get(item, "sentinels");
    bool is_good =
        list == NULL || (json_is_array(list) && json_array_size(list) <= HS_POINTMAP_SENTINELS_MAX);
    size_t i;
    json_t *number;

    json_array_foreach (is_good ? list : NULL, i, number) {
        is_good = is_good && json_is_number(number);
        row->reg.sentinels[i] = json_number_value(number);
        row->reg.n_sentinels = i + 1;
    }
    if (!is_good) {
        hs_conf_report_add(r->report, row->pointer,
                           "'sentinels' must be a list of up to %d numbers, as [65535]",
                           HS_POINTMAP_SENTINELS_MAX);
    }
}

static void check_modbus(struct reader *r, const struct hs_pointmap_row *row)
{
    bool is_bit = row->reg.table == HS_POINTMAP_COIL || row->reg.table == HS_POINTMAP_DISCRETE;
    bool is_writable = row->reg.table == HS_POINTMAP_HOLDING || row->reg.table == HS_POINTMAP_COIL;

    if (row->reg.address == UNTIL_DEVICE) {
        hs_conf_report_add(r->report, row->pointer, "'address' is missing: which register it is");
    }
    if (is_bit != (row->reg.type == HS_POINTMAP_BOOL) && row->reg.type != HS_POINTMAP_BOOL) {
        hs_conf_report_add(r->report, row->pointer, "a %s is one bit: its type is bool",
                           hs_pointmap_table_words[row->reg.table]);
    }
    if (row->is_write && !is_writable) {
        hs_conf_report_add(r->report, row->pointer,
                           "a %s cannot be written: 'table' must be holding or coil",
                           hs_pointmap_table_words[row->reg.table]);
    }
}

static void check_row(struct reader *r, const struct hs_pointmap_row *row)
{
    bool is_out = hs_reading_is_outbound(row->point.kind);

    if ((row->modbus[0] != '\0') == (row->mqtt[0] != '\0')) {
        hs_conf_report_add(r->report, row->pointer,
                           "names %s: give either 'modbus' or 'mqtt', the source of its readings",
                           row->modbus[0] != '\0' ? "two sources" : "no source");
    }
    if (row->modbus[0] != '\0') {
        check_modbus(r, row);
    }
    if (row->mqtt[0] != '\0' && (row->topic[0] == '\0' || strpbrk(row->topic, "+#") != NULL)) {
        hs_conf_report_add(r->report, row->pointer,
                           "'topic' must be one topic of the broker, without + and #");
    }
    if (row->member[0] != '\0' && row->member[0] != '/') {
        hs_conf_report_add(r->report, row->pointer, "'pointer' must begin with /, as /heat/w");
    }
    if (!isnan(row->rule.min) && !isnan(row->rule.max) && !(row->rule.min < row->rule.max)) {
        hs_conf_report_add(r->report, row->pointer, "'min' (%.10g) must be below 'max' (%.10g)",
                           row->rule.min, row->rule.max);
    }
    if (row->reg.scale == 0) {
        hs_conf_report_add(r->report, row->pointer, "'scale' must not be 0");
    }
    if (is_out && !row->is_write) {
        hs_conf_report_add(r->report, row->pointer,
                           "is what hschedd tells the plant: it needs \"write\": true");
    } else if (row->is_write && !is_out && row->point.kind != HS_POINT_RACK_ELEC_W) {
        hs_conf_report_add(r->report, row->pointer, "is measured, not written: leave 'write' out");
    }
    if (hs_pointmap_find(r->map, &row->point, row->is_write) != NULL) {
        hs_conf_report_add(r->report, row->pointer, "'%s' has a source already", row->path);
    }
}

/* One member of a `points` object: @leaf of the thing at @path. */
static void read_entry(struct reader *r, const char *path, const char *leaf, const json_t *item,
                       const char *pointer)
{
    struct entry entry = {.row.reg.order = UNTIL_DEVICE};
    struct hs_pointmap_row *row = &entry.row;
    size_t n_before = r->report->n_errors;
    struct hs_err err;
    int type;

    if (snprintf(row->path, sizeof(row->path), "%s/%s", path, leaf) >= (int)sizeof(row->path)) {
        hs_conf_report_add(r->report, pointer, "'%.40s...' is too long for a point", leaf);
        return;
    }
    (void)snprintf(row->pointer, sizeof(row->pointer), "%s", pointer);
    if (hs_reading_parse_point(r->estate, row->path, &row->point, &err) != 0) {
        hs_conf_report_add(r->report, pointer, "%s", err.text);
        return;
    }
    if (!hs_conf_read(&hs_pointmap_table, item, pointer, &entry, r->report)) {
        return;
    }
    row->reg.table = (enum hs_pointmap_table)find_word(hs_pointmap_table_words, entry.table,
                                                       HS_POINTMAP_HOLDING);
    type = row->reg.table == HS_POINTMAP_COIL || row->reg.table == HS_POINTMAP_DISCRETE
               ? HS_POINTMAP_BOOL
               : HS_POINTMAP_INT16;
    row->reg.type = (enum hs_pointmap_type)find_word(hs_pointmap_type_words, entry.type, type);
    row->reg.order = find_word(hs_pointmap_order_words, entry.order, UNTIL_DEVICE);
    read_sentinels(item, r, row);
    check_row(r, row);
    if (r->report->n_errors == n_before) {
        r->map->rows = hs_xrealloc(r->map->rows, r->map->n_rows + 1, sizeof(*r->map->rows));
        r->map->rows[r->map->n_rows++] = *row;
    }
}

/* `points` of the thing at @path. */
static void read_points(struct reader *r, const char *path, const json_t *thing,
                        const char *pointer)
{
    json_t *points = json_object_get(thing, "points");
    char where[HS_POINTMAP_WHERE_MAX];
    const char *leaf;
    json_t *item;

    snprintf(where, sizeof(where), "%s/points", pointer);
    if (points != NULL && !json_is_object(points) && !json_is_null(points)) {
        hs_conf_report_add(r->report, where, "must be an object {quantity: {where it is read}}");
        return;
    }
    json_object_foreach (points, leaf, item) {
        bool is_comment = leaf[0] == '$' || strcmp(leaf, "description") == 0;
        char escaped[64];
        size_t n = 0;

        for (const char *c = leaf; *c != '\0' && n < sizeof(escaped) - 3; c++) {
            if (*c == '/' || *c == '~') { /* RFC 6901 */
                escaped[n++] = '~';
                escaped[n++] = *c == '/' ? '1' : '0';
            } else {
                escaped[n++] = *c;
            }
        }
        escaped[n] = '\0';
        snprintf(where, sizeof(where), "%.240s/points/%s", pointer, escaped);
        if (!is_comment) {
            read_entry(r, path, leaf, item, where);
        }
    }
}

static void read_hosts(struct reader *r, const json_t *rack, const char *pointer)
{
    char where[HS_POINT_MAX];
    size_t i;
    json_t *host;

    json_array_foreach (json_object_get(rack, "hosts"), i, host) {
        if (json_object_size(json_object_get(host, "points")) > 0) {
            snprintf(where, sizeof(where), "%.200s/hosts/%zu/points", pointer, i);
            hs_conf_report_add(r->report, where,
                               "no quantity of a host is read by this version: a rack's elec_w is");
        }
    }
}

static void read_loop(struct reader *r, const struct hs_heatloop *loop, const json_t *json,
                      const char *pointer)
{
    const json_t *sinks = json_object_get(json, "sinks");
    char where[HS_POINT_MAX];

    read_points(r, loop->path, json, pointer);
    for (size_t i = 0; i < loop->n_sinks; i++) {
        snprintf(where, sizeof(where), "%.200s/sinks/%zu", pointer, i);
        read_points(r, r->estate->sinks[loop->first_sink_idx + i].path, json_array_get(sinks, i),
                    where);
    }
}

static void read_site(struct reader *r, const struct hs_site *site, const json_t *json,
                      const char *pointer)
{
    const struct hs_estate *estate = r->estate;
    const json_t *loops = json_object_get(json, "loops");
    const json_t *racks = json_object_get(json, "racks");
    char where[HS_POINT_MAX];

    read_points(r, site->name, json, pointer);
    for (size_t i = 0; i < site->n_loops; i++) {
        snprintf(where, sizeof(where), "%.200s/loops/%zu", pointer, i);
        read_loop(r, &estate->loops[site->first_loop_idx + i], json_array_get(loops, i), where);
    }
    for (size_t i = 0; i < site->n_racks; i++) {
        snprintf(where, sizeof(where), "%.200s/racks/%zu", pointer, i);
        read_points(r, estate->racks[site->first_rack_idx + i].path, json_array_get(racks, i),
                    where);
        read_hosts(r, json_array_get(racks, i), where);
    }
}

void hs_pointmap_read(const struct hs_estate *estate, const json_t *object, const char *pointer,
                      struct hs_conf_report *report, struct hs_pointmap *ret_map)
{
    struct reader r = {.estate = estate, .report = report, .map = ret_map};
    const json_t *sites = json_object_get(object, "sites");
    char where[HS_POINT_MAX];

    for (size_t i = 0; i < estate->n_sites; i++) {
        snprintf(where, sizeof(where), "%.200s/sites/%zu", pointer, i);
        read_site(&r, &estate->sites[i], json_array_get(sites, i), where);
    }
}

double hs_pointmap_get_span(const struct hs_pointmap_row *row)
{
    bool is_counter =
        row->point.kind == HS_POINT_USEFUL_HEAT_WH || row->point.kind == HS_POINT_CAPTURED_HEAT_WH;
    double numbers = row->reg.rollover;

    if (!is_counter) {
        return 0;
    }
    if (isnan(numbers) && row->modbus[0] != '\0') {
        numbers = row->reg.type == HS_POINTMAP_UINT16   ? 65536.0
                  : row->reg.type == HS_POINTMAP_UINT32 ? 4294967296.0
                                                        : (double)NAN;
    }
    return numbers > 0 ? numbers * fabs(row->reg.scale) : 0;
}

const struct hs_pointmap_row *hs_pointmap_find(const struct hs_pointmap *map,
                                               const struct hs_point *point, bool is_write)
{
    for (size_t i = 0; map != NULL && i < map->n_rows; i++) {
        const struct hs_pointmap_row *row = &map->rows[i];

        if (row->point.kind == point->kind && row->point.thing_idx == point->thing_idx
            && row->point.height_ratio == point->height_ratio && row->is_write == is_write) {
            return row;
        }
    }
    return NULL;
}

void hs_pointmap_free(struct hs_pointmap *map)
{
    if (map != NULL) {
        free(map->rows);
        free(map);
    }
}
