/* SPDX-License-Identifier: Apache-2.0 */
/* probe_modbus - some registers, and every number that they may be. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/plant/plant_modbus_link.h"
#include "scheduler/base/mem.h"
#include "scheduler/daemon/probe_priv.h"

#define COUNT_DEFAULT 4
#define PORT_DEFAULT  502
#define PARTS_MAX     4

struct place {
    char *text; /* owned; what the others point into */
    const char *host;
    int port;
    int address; /* as written */
    struct hs_registers_block block;
};

static const enum hs_pointmap_type types[] = {
    HS_POINTMAP_INT32,   HS_POINTMAP_UINT32, HS_POINTMAP_FLOAT32,
    HS_POINTMAP_FLOAT64, HS_POINTMAP_INT64,  HS_POINTMAP_UINT64,
};

static bool parse_number(const char *text, int max, int *ret_number)
{
    char *end;
    long number = strtol(text, &end, 10);

    *ret_number = (int)number;
    return end != text && *end == '\0' && number >= 0 && number <= max;
}

static bool find_table(const char *word, enum hs_pointmap_table *ret_table)
{
    for (int i = 0; hs_pointmap_table_words[i] != NULL; i++) {
        if (strcmp(hs_pointmap_table_words[i], word) == 0) {
            *ret_table = (enum hs_pointmap_table)i;
            return true;
        }
    }
    return false;
}

/* modbus://HOST[:PORT]/[UNIT/]TABLE/ADDRESS */
static int parse(const struct hs_probe *probe, struct place *ret_place, struct hs_err *err)
{
    char *parts[PARTS_MAX] = {NULL};
    char *rest;
    char *colon;
    size_t n = 0;
    bool is_good;

    *ret_place = (struct place){.port = PORT_DEFAULT, .block = {.unit = 1}};
    rest = ret_place->text = hs_xstrdup(probe->target + strlen("modbus://"));
    while (rest != NULL && n < PARTS_MAX) {
        parts[n++] = strsep(&rest, "/");
    }
    is_good = rest == NULL && n >= 3 && parts[0][0] != '\0';
    colon = is_good && parts[0][strlen(parts[0]) - 1] != ']' ? strrchr(parts[0], ':') : NULL;
    if (colon != NULL) {
        *colon = '\0';
        is_good = parse_number(colon + 1, 65535, &ret_place->port);
    }
    ret_place->host = parts[0];
    is_good = is_good && (n == 3 || parse_number(parts[1], 255, &ret_place->block.unit))
              && find_table(parts[n - 2], &ret_place->block.table)
              && parse_number(parts[n - 1], 65536, &ret_place->address);
    ret_place->block.first = ret_place->address - probe->base;
    if (!is_good || ret_place->block.first < 0) {
        return hs_err_set(err, HS_E_INVALID, NULL,
                          "write modbus://HOST[:PORT]/[UNIT/]TABLE/ADDRESS, TABLE being holding, "
                          "input, coil or discrete, as modbus://10.0.4.20/holding/101");
    }
    return 0;
}

/* Fewer, if the device has no more from there on. */
static int read_some(const struct hs_probe *probe, struct place *place, uint16_t *ret_words,
                     struct hs_err *err)
{
    HS_AUTO(hs_plant_modbus_link)
    link = hs_plant_modbus_link_new(place->host, place->port, probe->timeout_s);
    int rc = -HS_E_NOTFOUND;

    place->block.count = probe->count > 0 ? probe->count : COUNT_DEFAULT;
    if (place->block.count > HS_REGISTERS_READ_MAX) {
        place->block.count = HS_REGISTERS_READ_MAX;
    }
    for (; place->block.count > 0 && rc == -HS_E_NOTFOUND; place->block.count /= 2) {
        rc = hs_plant_modbus_link_read(link, &place->block, ret_words, err);
        if (rc == 0) {
            return 0;
        }
    }
    return rc;
}

static void print_table(const struct place *place, const uint16_t *words)
{
    bool is_bits =
        place->block.table == HS_POINTMAP_COIL || place->block.table == HS_POINTMAP_DISCRETE;

    printf("%-8s %-8s %8s %8s\n", hs_pointmap_table_words[place->block.table], "hex", "uint16",
           "int16");
    for (int i = 0; i < place->block.count; i++) {
        printf("%-8d 0x%04x   %8u %8d\n", place->address + i, words[i], words[i],
               (int)(int16_t)words[i]);
    }
    if (is_bits || place->block.count < 2) {
        return;
    }
    printf("\n%-8s %22s %22s %22s %22s\n", "from", "ABCD", "CDAB", "BADC", "DCBA");
    for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
        if (hs_registers_get_width(types[t]) <= place->block.count) {
            printf("%-8s", hs_pointmap_type_words[types[t]]);
            for (int order = 0; order < HS_POINTMAP_ORDER_COUNT_; order++) {
                printf(" %22.10g",
                       hs_registers_decode_raw(words, types[t], (enum hs_pointmap_order)order));
            }
            printf("\n");
        }
    }
}

static json_t *format_numbers(const struct place *place, const uint16_t *words)
{
    json_t *numbers = hs_jsonx_object();

    for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
        json_t *orders;

        if (hs_registers_get_width(types[t]) > place->block.count) {
            continue;
        }
        orders = hs_jsonx_object();
        for (int order = 0; order < HS_POINTMAP_ORDER_COUNT_; order++) {
            hs_jsonx_set_real(
                orders, hs_pointmap_order_words[order],
                hs_registers_decode_raw(words, types[t], (enum hs_pointmap_order)order));
        }
        hs_jsonx_set(numbers, hs_pointmap_type_words[types[t]], orders);
    }
    return numbers;
}

static void print_json(const struct place *place, const uint16_t *words)
{
    json_auto_t *object = hs_jsonx_object();
    json_t *registers = hs_jsonx_array();

    for (int i = 0; i < place->block.count; i++) {
        hs_jsonx_add(registers, hs_jsonx_int(words[i]));
    }
    hs_jsonx_set_text(object, "api", "hsched/v1");
    hs_jsonx_set_text(object, "kind", "RegisterProbe");
    hs_jsonx_set_text(object, "table", hs_pointmap_table_words[place->block.table]);
    hs_jsonx_set_int(object, "unit", place->block.unit);
    hs_jsonx_set_int(object, "address", place->address);
    hs_jsonx_set(object, "registers", registers);
    hs_jsonx_set(object, "numbers", format_numbers(place, words));
    hs_probe_print(object);
}

int hs_probe_read_modbus(const struct hs_probe *probe, struct hs_err *err)
{
    uint16_t words[HS_REGISTERS_READ_MAX] = {0};
    struct place place;
    int rc = parse(probe, &place, err);

    if (rc == 0) {
        rc = read_some(probe, &place, words, err);
    }
    if (rc == 0 && probe->is_json) {
        print_json(&place, words);
    } else if (rc == 0) {
        print_table(&place, words);
    }
    free(place.text);
    return rc;
}
