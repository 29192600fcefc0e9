/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/render.h"

#include <langinfo.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ctl/say.h"
#include "scheduler/base/auto.h"
#include "scheduler/base/clock.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/timetext.h"
#include "scheduler/base/units.h"

#define FLAT_RATIO 0.005 /* what differs less is drawn as the same: bars show no rounding */
#define NEAR_S     (6 * HS_S_PER_DAY) /* a weekday names one day only within a week */

bool hs_render_is_utf8(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

char *hs_render_at(int64_t at_s, int64_t ref_at_s)
{
    time_t at = (time_t)at_s;
    struct tm tm = {0};
    char text[HS_TIMETEXT_MAX];
    bool is_near = at_s > ref_at_s - NEAR_S && at_s < ref_at_s + NEAR_S;

    gmtime_r(&at, &tm);
    strftime(text, sizeof(text), is_near ? "%a %H:%MZ" : "%Y-%m-%d %H:%MZ", &tm);
    return hs_xstrdup(text);
}

static char *render_memory(double memory_mib)
{
    double memory_gib = memory_mib / 1024;

    if (memory_mib < 1024) {
        return hs_say_format("%.0f MiB", memory_mib);
    }
    return hs_say_format(memory_gib == floor(memory_gib) ? "%.0f GiB" : "%.1f GiB", memory_gib);
}

/** A small job costs a fraction of a cent: keep two digits of it, never an exponent. */
static char *render_money(double value)
{
    double size = fabs(value);
    int n_decimals = size == 0 || size >= 0.095 ? 2 : 1 - (int)floor(log10(size));

    return hs_say_format("%.*f", n_decimals < 12 ? n_decimals : 2, value);
}

char *hs_render_number(double value, enum hs_render_kind kind)
{
    char span[HS_TIMETEXT_MAX];

    switch (kind) {
    case HS_RENDER_KW:
    case HS_RENDER_KWH:
        return hs_say_format("%.1f", value / 1000 + 0.0);
    case HS_RENDER_PERCENT:
        return hs_say_format("%.0f%%", value * 100);
    case HS_RENDER_CELSIUS:
    case HS_RENDER_PRICE:
        return hs_say_format("%.1f", value);
    case HS_RENDER_MONEY:
        return render_money(value);
    case HS_RENDER_DURATION:
        hs_timetext_format_duration(llround(value), span);
        return hs_xstrdup(span);
    case HS_RENDER_MEMORY:
        return render_memory(value);
    case HS_RENDER_TEXT:
    case HS_RENDER_AT:
    case HS_RENDER_YES:
        break;
    }
    return value == floor(value) && fabs(value) < 1e15 ? hs_say_format("%.0f", value)
                                                       : hs_say_format("%g", value);
}

/** A copy without control characters: a job's words must not drive the reader's terminal. */
static char *render_text(const char *text)
{
    char *copy = hs_xstrdup(text);

    for (char *c = copy; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) {
            *c = ' ';
        }
    }
    return copy;
}

/** A list is its parts with commas, an object its keys with their values. */
static char *render_many(const json_t *value)
{
    HS_AUTO_MEM char *text = hs_xstrdup("");
    json_t *parts = (json_t *)value; /* the iterators of jansson want no const */
    const char *key = NULL;
    json_t *part = NULL;
    size_t i = 0;

    json_array_foreach (parts, i, part) {
        HS_AUTO_MEM char *old = HS_STEAL(text);
        HS_AUTO_MEM char *one = hs_render_value(part, HS_RENDER_TEXT, 0);

        text = hs_say_format("%s%s%s", old, old[0] != '\0' ? "," : "", one);
    }
    json_object_foreach (parts, key, part) {
        HS_AUTO_MEM char *old = HS_STEAL(text);
        HS_AUTO_MEM char *one = hs_render_value(part, HS_RENDER_TEXT, 0);

        text = hs_say_format("%s%s%s=%s", old, old[0] != '\0' ? "," : "", key, one);
    }
    return text[0] != '\0' ? HS_STEAL(text) : hs_xstrdup("-");
}

char *hs_render_value(const json_t *value, enum hs_render_kind kind, int64_t ref_at_s)
{
    const char *text = json_string_value(value);
    int64_t at_s = 0;

    if (text != NULL && kind == HS_RENDER_AT && hs_timetext_parse(text, 0, &at_s, NULL) == 0) {
        return hs_render_at(at_s, ref_at_s);
    }
    if (text != NULL && text[0] != '\0') {
        return render_text(text);
    }
    if (json_is_boolean(value)) {
        return hs_xstrdup(json_is_true(value) ? "yes" : "no");
    }
    if (json_is_number(value)) {
        return hs_render_number(json_number_value(value), kind);
    }
    if (json_is_array(value) || json_is_object(value)) {
        return render_many(value);
    }
    return hs_xstrdup("-");
}

char *hs_render_bars_between(const double *values, size_t n_values, double least, double greatest)
{
    static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    size_t n_steps = hs_render_is_utf8() ? sizeof(blocks) / sizeof(blocks[0]) : 10;
    char *text = hs_xcalloc(n_values + 1, 4);
    char *end = text;
    bool is_flat = !(greatest - least > FLAT_RATIO * fmax(fabs(least), fabs(greatest)));

    for (size_t i = 0; i < n_values; i++) {
        double ratio = is_flat ? 0 : fmin(fmax((values[i] - least) / (greatest - least), 0), 1);
        size_t step = 0;

        if (isnan(values[i])) {
            end = stpcpy(end, " ");
            continue;
        }
        step = (size_t)(ratio * (double)(n_steps - 1) + 0.5);
        if (n_steps == 10) {
            *end++ = (char)('0' + step);
        } else {
            end = stpcpy(end, blocks[step]);
        }
    }
    *end = '\0';
    return text;
}

char *hs_render_bars(const double *values, size_t n_values)
{
    double least = INFINITY;
    double greatest = -INFINITY;

    for (size_t i = 0; i < n_values; i++) {
        least = values[i] < least ? values[i] : least;
        greatest = values[i] > greatest ? values[i] : greatest;
    }
    return hs_render_bars_between(values, n_values, least, greatest);
}

char *hs_render_uncertain(double value, double error, enum hs_render_kind kind)
{
    double scale = kind == HS_RENDER_KW || kind == HS_RENDER_KWH ? 1e-3 : 1;
    double size = fabs(value * scale);
    int n_decimals = 0;

    if (isnan(value)) {
        return hs_xstrdup("-");
    }
    value *= scale;
    error *= scale;
    if (error > 0) {
        double digit = floor(log10(error));

        /* 0.13 ± 0.014: an error that begins with 1 keeps a second digit */
        n_decimals = (int)-digit + (error < 2 * pow(10, digit) ? 1 : 0);
    } else if (size > 0) {
        n_decimals = 2 - (int)floor(log10(size));
    }
    n_decimals = n_decimals < 0 ? 0 : n_decimals > 6 ? 6 : n_decimals;
    if (!(error > 0)) {
        return hs_say_format("%.*f", n_decimals, value);
    }
    return hs_say_format("%.*f %s %.*f", n_decimals, value, hs_render_is_utf8() ? "±" : "+-",
                         n_decimals, error);
}

const json_t *hs_render_find(const json_t *object, const char *path)
{
    char step[64];

    while (object != NULL && *path != '\0') {
        size_t n = strcspn(path, ".");

        snprintf(step, sizeof(step), "%.*s", (int)n, path);
        object = json_is_array(object) ? json_array_get(object, (size_t)strtoul(step, NULL, 10))
                                       : json_object_get(object, step);
        path += n + (path[n] == '.' ? 1 : 0);
    }
    return json_is_null(object) ? NULL : object;
}

const char *hs_render_find_text(const json_t *object, const char *path)
{
    const char *text = json_string_value(hs_render_find(object, path));

    return text != NULL && text[0] != '\0' ? text : NULL;
}

double hs_render_find_real(const json_t *object, const char *path)
{
    const json_t *value = hs_render_find(object, path);

    return json_is_number(value) ? json_number_value(value) : NAN;
}

int64_t hs_render_find_now(const json_t *answer)
{
    static const char *const keys[] = {"at", "from"};
    HS_AUTO(hs_clock) clock = NULL;
    int64_t at_s = 0;

    for (size_t i = 0; i < 2; i++) {
        const char *text = hs_render_find_text(answer, keys[i]);

        if (text != NULL && hs_timetext_parse(text, 0, &at_s, NULL) == 0) {
            return at_s;
        }
    }
    clock = hs_clock_new_real();
    return hs_clock_at_s(clock);
}
