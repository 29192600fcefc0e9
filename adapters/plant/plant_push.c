/* SPDX-License-Identifier: Apache-2.0 */
/* plant_push - the same rules for a reading as the stream's, on JSON. */
#include "adapters/plant/plant_push.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/timetext.h"

#define AHEAD_S 60.0 /* a source's clock may be so far ahead of ours, real s */

static void push_start(struct hs_plant *plant)
{
}

static void push_destroy(struct hs_plant *plant)
{
    free(plant);
}

static const struct hs_plant_ops plant_push_ops = {
    .name = "push",
    .summary = "readings posted to /v1/readings",
    .start = push_start,
    .destroy = push_destroy,
};

struct hs_plant *hs_plant_push_new(const struct hs_plant_options *options)
{
    struct hs_plant *plant = hs_xcalloc(1, sizeof(*plant));

    plant->ops = &plant_push_ops;
    plant->options = *options;
    return plant;
}

/* RFC 3339 alone: `now+2h` and `18:00` are for people, not for the source of a reading. */
static bool parse_at(const char *text, int64_t now_at_s, int64_t *ret_at_s)
{
    return strlen(text) >= sizeof("2026-01-05T10:00:00Z") - 1 && isdigit((unsigned char)text[0])
           && (text[10] == 'T' || text[10] == 't')
           && hs_timetext_parse(text, now_at_s, ret_at_s, NULL) == 0;
}

static int check_members(const json_t *json, struct hs_err *err)
{
    const char *key;
    json_t *member;

    json_object_foreach ((json_t *)json, key, member) {
        if (strcmp(key, "point") != 0 && strcmp(key, "value") != 0 && strcmp(key, "at") != 0) {
            return hs_err_set(err, HS_E_INVALID, NULL,
                              "unknown field '%.40s'; a reading has point, value and at", key);
        }
    }
    if (!json_is_string(json_object_get(json, "point"))) {
        return hs_err_set(err, HS_E_INVALID, NULL,
                          "must be an object {\"point\": TEXT, \"value\": NUMBER, \"at\": TIME}");
    }
    return 0;
}

static int read_at(const struct hs_plant *plant, const json_t *json, struct hs_reading *reading,
                   struct hs_err *err)
{
    const json_t *at = json_object_get(json, "at");
    double ahead_s;

    reading->taken_at_s = reading->received_at_s;
    if (at == NULL || json_is_null(at)) {
        return 0;
    }
    if (!json_is_string(at)
        || !parse_at(json_string_value(at), reading->received_at_s, &reading->taken_at_s)) {
        return hs_err_set(err, HS_E_INVALID, NULL, "at must be like 2026-01-05T10:00:00Z");
    }
    ahead_s = (double)(reading->taken_at_s - reading->received_at_s);
    if (ahead_s > AHEAD_S * fmax(hs_clock_get_speed(plant->options.clock), 1.0)) {
        return hs_err_set(err, HS_E_INVALID, NULL, "at '%.30s' lies in the future",
                          json_string_value(at));
    }
    return 0;
}

int hs_plant_push_take(struct hs_plant *plant, const json_t *json, struct hs_err *err)
{
    struct hs_reading reading = {.received_at_s = hs_clock_at_s(plant->options.clock),
                                 .value = NAN};
    const char *path = json_string_value(json_object_get(json, "point"));
    const json_t *value = json_object_get(json, "value");
    int rc = check_members(json, err);

    if (rc == 0) {
        rc = hs_reading_parse_point(plant->options.estate, path, &reading.point, err);
    }
    if (rc == 0) {
        rc = hs_plant_check_source(plant, path, &reading.point, err);
    }
    if (rc == 0 && value == NULL) {
        rc = hs_err_set(err, HS_E_INVALID, NULL,
                        "value is missing: a number, or null if it is not known");
    } else if (rc == 0 && !json_is_number(value) && !json_is_null(value)) {
        rc = hs_err_set(err, HS_E_INVALID, NULL, "value must be a number or null");
    }
    if (rc == 0) {
        rc = read_at(plant, json, &reading, err);
    }
    if (rc == 0) {
        reading.value = json_is_number(value) ? json_number_value(value) : (double)NAN;
        hs_plant_deliver(plant, &reading);
    }
    return rc;
}
