/* SPDX-License-Identifier: Apache-2.0 */
/* holidays - the rows of holidays_rules.c as days of one year. */
#include "scheduler/model/holidays.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "scheduler/base/civil.h"
#include "scheduler/model/holidays_priv.h"

const char *const hs_holidays_words[] = {
    "auto",   "none",   "AT",     "BE",    "CH",    "DE",    "DE-BB", "DE-BE", "DE-BW",
    "DE-BY",  "DE-HB",  "DE-HE",  "DE-HH", "DE-MV", "DE-NI", "DE-NW", "DE-RP", "DE-SH",
    "DE-SL",  "DE-SN",  "DE-ST",  "DE-TH", "DK",    "FI",    "FR",    "GB",    "GB-ENG",
    "GB-NIR", "GB-SCT", "GB-WLS", "IE",    "NL",    "NO",    "SE",    "US",    NULL};

/* Zones that lie in one country; a name that ends in '/' stands for all below it. */
static const struct {
    const char *timezone;
    const char *country;
} zones[] = {
    {"Europe/Vienna", "AT"},         {"Europe/Brussels", "BE"},     {"Europe/Zurich", "CH"},
    {"Europe/Berlin", "DE"},         {"Europe/Copenhagen", "DK"},   {"Europe/Helsinki", "FI"},
    {"Europe/Paris", "FR"},          {"Europe/London", "GB"},       {"Europe/Belfast", "GB-NIR"},
    {"Europe/Dublin", "IE"},         {"Europe/Amsterdam", "NL"},    {"Europe/Oslo", "NO"},
    {"Europe/Stockholm", "SE"},      {"America/New_York", "US"},    {"America/Chicago", "US"},
    {"America/Denver", "US"},        {"America/Los_Angeles", "US"}, {"America/Phoenix", "US"},
    {"America/Detroit", "US"},       {"America/Boise", "US"},       {"America/Menominee", "US"},
    {"America/Anchorage", "US"},     {"America/Juneau", "US"},      {"America/Sitka", "US"},
    {"America/Nome", "US"},          {"America/Adak", "US"},        {"America/Yakutat", "US"},
    {"America/Metlakatla", "US"},    {"America/Indiana/", "US"},    {"America/Kentucky/", "US"},
    {"America/North_Dakota/", "US"}, {"Pacific/Honolulu", "US"},    {"US/", "US"},
};

const char *hs_holidays_resolve(const char *word, const char *timezone)
{
    for (size_t i = 0; hs_holidays_words[i] != NULL; i++) {
        if (i > 0 && strcmp(hs_holidays_words[i], word) == 0) {
            return hs_holidays_words[i];
        }
    }
    for (size_t i = 0; strcmp(word, "auto") == 0 && i < sizeof(zones) / sizeof(zones[0]); i++) {
        size_t n = strlen(zones[i].timezone);

        if (zones[i].timezone[n - 1] == '/' ? strncmp(zones[i].timezone, timezone, n) == 0
                                            : strcmp(zones[i].timezone, timezone) == 0) {
            return zones[i].country;
        }
    }
    return "none";
}

/* Source: anonymous, Nature 13 (1876) 487; Meeus, Astronomical Algorithms (1991), chapter 8. */
int64_t hs_holidays_get_easter(int64_t year)
{
    int64_t a = year % 19, b = year / 100, c = year % 100;
    int64_t g = (8 * b + 13) / 25;
    int64_t h = (19 * a + b - b / 4 - g + 15) % 30;
    int64_t l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
    int64_t m = (a + 11 * h + 22 * l) / 451;
    int64_t n = h + l - 7 * m + 114;

    return hs_civil_get_day_no(year, (int)(n / 31), (int)(n % 31) + 1);
}

static int64_t get_day_no(const struct hs_holidays_rule *rule, int64_t year)
{
    int64_t day_no = hs_civil_get_day_no(year, rule->month > 0 ? rule->month : 2, rule->day);
    int weekday = hs_civil_get_weekday(day_no);

    switch (rule->kind) {
    case HS_HOLIDAYS_DATE:
        return day_no;
    case HS_HOLIDAYS_EASTER:
        return hs_holidays_get_easter(year) + rule->day;
    case HS_HOLIDAYS_FROM:
        return day_no + (rule->weekday - weekday + 7) % 7;
    case HS_HOLIDAYS_UNTIL:
        return day_no - (weekday - rule->weekday + 7) % 7;
    case HS_HOLIDAYS_BRIGID:
        break;
    }
    day_no = hs_civil_get_day_no(year, 2, 1);
    weekday = hs_civil_get_weekday(day_no);
    return weekday == 4 ? day_no : day_no + (7 - weekday) % 7;
}

static bool has_day(const int64_t *day_nos, size_t n, int64_t day_no)
{
    for (size_t i = 0; i < n; i++) {
        if (day_nos[i] == day_no) {
            return true;
        }
    }
    return false;
}

static int64_t move(const int64_t *day_nos, size_t n, int64_t day_no, enum hs_holidays_shift shift)
{
    int weekday = hs_civil_get_weekday(day_no);

    switch (shift) {
    case HS_HOLIDAYS_STAYS:
        break;
    case HS_HOLIDAYS_EVE:
        return weekday == 6 ? day_no - 1 : day_no;
    case HS_HOLIDAYS_NEAREST:
        return weekday == 5 ? day_no - 1 : weekday == 6 ? day_no + 1 : day_no;
    case HS_HOLIDAYS_NEXT_FREE:
        while (weekday >= 5 && (hs_civil_get_weekday(day_no) >= 5 || has_day(day_nos, n, day_no))) {
            day_no++;
        }
        break;
    }
    return day_no;
}

static bool is_kept(const struct hs_holidays_rule *rule, size_t region, int64_t year)
{
    return (rule->regions >> region & 1) != 0 && year >= rule->from_year
           && (rule->until_year == 0 || year <= rule->until_year);
}

size_t hs_holidays_list(const char *country, int64_t year, int64_t *ret_day_nos)
{
    size_t region = 0, n = 0;

    while (region < hs_holidays_n_regions && strcmp(hs_holidays_regions[region], country) != 0) {
        region++;
    }
    if (region == hs_holidays_n_regions) {
        return 0;
    }
    /* all where they lie first: a day that is moved must know which are taken */
    for (size_t i = 0; i < hs_holidays_n_rules; i++) {
        const struct hs_holidays_rule *rule = &hs_holidays_rules[i];

        if (is_kept(rule, region, year)) {
            assert(n < HS_HOLIDAYS_MAX / 2);
            ret_day_nos[n++] = get_day_no(rule, year);
        }
    }
    for (size_t i = 0; i < hs_holidays_n_rules; i++) {
        const struct hs_holidays_rule *rule = &hs_holidays_rules[i];
        int64_t day_no = get_day_no(rule, year);

        if (is_kept(rule, region, year) && rule->shift != HS_HOLIDAYS_STAYS) {
            int64_t moved = move(ret_day_nos, n, day_no, rule->shift);

            if (moved != day_no) {
                ret_day_nos[n++] = moved;
            }
        }
    }
    return n;
}
