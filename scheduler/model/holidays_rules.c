/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holidays_rules - who keeps which day, by which law. Whole days only; what is kept in some
 * communities or cantons only is left out and named here, the operator adds it under `closed`.
 *
 * AT  Arbeitsruhegesetz (BGBl. 144/1983) section 7 (2)
 * BE  Loi du 4 janvier 1974 relative aux jours feries, arrete royal du 18 avril 1974
 * CH  days kept in every canton: list of the Federal Office of Justice ("Gesetzliche Feiertage
 *     und Tage, die in der Schweiz wie gesetzliche Feiertage behandelt werden"); 1 August by
 *     article 110 (3) of the constitution. Left out: all that differs by canton
 * DE  Feiertagsgesetze of the states, 3 October by Einigungsvertrag article 2 (2). Left out:
 *     15 August in Catholic communities of Bavaria, Corpus Christi in some of SN and TH
 * DK  Lov om Folkekirkens helligdage; Lov nr. 214 af 06/03/2023 ended the Great Prayer Day with
 *     2023. Left out: 5 June, 24 and 31 December, which are closed by agreement
 * FI  Kirkkolaki (652/2023), laki 272/1944 (1 May), laki 388/1937 (6 December); the eves of
 *     midsummer and Christmas are no working days by vuosilomalaki (162/2005) section 4
 * FR  Code du travail article L3133-1. Left out: Alsace-Moselle (L3134-13), overseas
 * GB  Banking and Financial Dealings Act 1971 schedule 1 and the proclamations under it; list:
 *     https://www.gov.uk/bank-holidays. GB alone: days kept in all its parts
 * IE  Organisation of Working Time Act 1997, second schedule; S.I. 50/2022 (18 March 2022 and
 *     the day of Saint Brigid)
 * NL  Algemene termijnenwet article 3; 5 May only every fifth year, when most are off
 * NO  Lov om helligdager og helligdagsfred (1995) section 2, lov om 1 og 17 mai (1947)
 * SE  Lag (1989:253) om allmanna helgdagar; the eves of midsummer, Christmas and new year count
 *     as Sundays by semesterlagen (1977:480) section 3 a
 * US  5 U.S.C. 6103, moved by its (b) and by Executive Order 11582. Left out: days of the states
 */
#include "scheduler/model/holidays_priv.h"

enum {
    AT,
    BE,
    CH,
    DE,
    DE_BB,
    DE_BE,
    DE_BW,
    DE_BY,
    DE_HB,
    DE_HE,
    DE_HH,
    DE_MV,
    DE_NI,
    DE_NW,
    DE_RP,
    DE_SH,
    DE_SL,
    DE_SN,
    DE_ST,
    DE_TH,
    DK,
    FI,
    FR,
    GB,
    GB_ENG,
    GB_NIR,
    GB_SCT,
    GB_WLS,
    IE,
    NL,
    NO,
    SE,
    US,
    N_REGIONS
};

const char *const hs_holidays_regions[N_REGIONS] = {
    [AT] = "AT",         [BE] = "BE",         [CH] = "CH",         [DE] = "DE",
    [DE_BB] = "DE-BB",   [DE_BE] = "DE-BE",   [DE_BW] = "DE-BW",   [DE_BY] = "DE-BY",
    [DE_HB] = "DE-HB",   [DE_HE] = "DE-HE",   [DE_HH] = "DE-HH",   [DE_MV] = "DE-MV",
    [DE_NI] = "DE-NI",   [DE_NW] = "DE-NW",   [DE_RP] = "DE-RP",   [DE_SH] = "DE-SH",
    [DE_SL] = "DE-SL",   [DE_SN] = "DE-SN",   [DE_ST] = "DE-ST",   [DE_TH] = "DE-TH",
    [DK] = "DK",         [FI] = "FI",         [FR] = "FR",         [GB] = "GB",
    [GB_ENG] = "GB-ENG", [GB_NIR] = "GB-NIR", [GB_SCT] = "GB-SCT", [GB_WLS] = "GB-WLS",
    [IE] = "IE",         [NL] = "NL",         [NO] = "NO",         [SE] = "SE",
    [US] = "US",
};
const size_t hs_holidays_n_regions = N_REGIONS;

#define R(region) (UINT64_C(1) << (region))

#define ALL_DE                                                                                     \
    (R(DE) | R(DE_BB) | R(DE_BE) | R(DE_BW) | R(DE_BY) | R(DE_HB) | R(DE_HE) | R(DE_HH) | R(DE_MV) \
     | R(DE_NI) | R(DE_NW) | R(DE_RP) | R(DE_SH) | R(DE_SL) | R(DE_SN) | R(DE_ST) | R(DE_TH))
#define ALL_GB     (R(GB) | R(GB_ENG) | R(GB_NIR) | R(GB_SCT) | R(GB_WLS))
#define ENG_WLS_NI (R(GB_ENG) | R(GB_WLS) | R(GB_NIR))
#define NORDIC     (R(DK) | R(FI) | R(NO) | R(SE))
#define ALL        ((R(N_REGIONS) - 1))

/* rows: on(where, month, day), easter(where, days after), then years and shift where needed */
#define ON(where, m, d, ...)                                                                \
    {                                                                                       \
        .regions = (where), .kind = HS_HOLIDAYS_DATE, .month = (m), .day = (d), __VA_ARGS__ \
    }
#define EASTER(where, d, ...)                                                   \
    {                                                                           \
        .regions = (where), .kind = HS_HOLIDAYS_EASTER, .day = (d), __VA_ARGS__ \
    }
#define FROM(where, w, m, d, ...)                                                               \
    {                                                                                           \
        .regions = (where), .kind = HS_HOLIDAYS_FROM, .weekday = (w), .month = (m), .day = (d), \
        __VA_ARGS__                                                                             \
    }
#define UNTIL(where, w, m, d, ...)                                                               \
    {                                                                                            \
        .regions = (where), .kind = HS_HOLIDAYS_UNTIL, .weekday = (w), .month = (m), .day = (d), \
        __VA_ARGS__                                                                              \
    }
#define SINCE(year) .from_year = (year)
#define LAST(year)  .until_year = (year)
#define ONCE(year)  .from_year = (year), .until_year = (year)
#define SUBSTITUTE  .shift = HS_HOLIDAYS_NEXT_FREE
#define FEDERAL     .shift = HS_HOLIDAYS_NEAREST

enum { MON, TUE, WED, THU, FRI, SAT, SUN };

const struct hs_holidays_rule hs_holidays_rules[] = {
    /* kept by most */
    ON(ALL & ~(ALL_GB | R(US)), 1, 1),
    ON(ALL & ~(ALL_GB | R(US)), 12, 25),
    ON(ALL & ~(ALL_GB | R(US) | R(BE) | R(CH) | R(FR)), 12, 26),
    EASTER(ALL_DE | ALL_GB | NORDIC, -2),
    EASTER(ALL & ~(R(CH) | R(US) | R(GB) | R(GB_SCT)), 1),
    EASTER(ALL & ~(ALL_GB | R(IE) | R(US)), 39),
    EASTER(ALL_DE | R(AT) | R(BE) | R(DK) | R(FR) | R(NL) | R(NO), 50),
    ON(ALL_DE | R(AT) | R(BE) | R(FI) | R(FR) | R(NO) | R(SE), 5, 1),

    ON(R(AT), 1, 6),
    EASTER(R(AT), 60),
    ON(R(AT), 8, 15),
    ON(R(AT), 10, 26),
    ON(R(AT), 11, 1),
    ON(R(AT), 12, 8),

    ON(R(BE), 7, 21),
    ON(R(BE), 8, 15),
    ON(R(BE), 11, 1),
    ON(R(BE), 11, 11),

    ON(R(CH), 8, 1),

    ON(ALL_DE, 10, 3),
    ON(R(DE_BW) | R(DE_BY) | R(DE_ST), 1, 6),
    ON(R(DE_BE), 3, 8, SINCE(2019)),
    ON(R(DE_MV), 3, 8, SINCE(2023)),
    ON(R(DE_BE), 5, 8, ONCE(2020)),
    ON(R(DE_BE), 5, 8, ONCE(2025)),
    EASTER(R(DE_BB), 0),
    EASTER(R(DE_BB), 49),
    EASTER(R(DE_BW) | R(DE_BY) | R(DE_HE) | R(DE_NW) | R(DE_RP) | R(DE_SL), 60),
    ON(R(DE_SL), 8, 15),
    ON(R(DE_TH), 9, 20, SINCE(2019)),
    ON(ALL_DE, 10, 31, ONCE(2017)),
    ON(R(DE_BB) | R(DE_MV) | R(DE_SN) | R(DE_ST) | R(DE_TH), 10, 31),
    ON(R(DE_HB) | R(DE_HH) | R(DE_NI) | R(DE_SH), 10, 31, SINCE(2018)),
    ON(R(DE_BW) | R(DE_BY) | R(DE_NW) | R(DE_RP) | R(DE_SL), 11, 1),
    UNTIL(R(DE_SN), WED, 11, 22),

    EASTER(R(DK), -3),
    EASTER(R(DK), 26, LAST(2023)),

    ON(R(FI), 1, 6),
    FROM(R(FI), FRI, 6, 19),
    FROM(R(FI), SAT, 6, 20),
    FROM(R(FI), SAT, 10, 31),
    ON(R(FI), 12, 6),
    ON(R(FI), 12, 24),

    ON(R(FR), 5, 8),
    ON(R(FR), 7, 14),
    ON(R(FR), 8, 15),
    ON(R(FR), 11, 1),
    ON(R(FR), 11, 11),

    ON(ALL_GB, 1, 1, SUBSTITUTE),
    ON(R(GB_SCT), 1, 2, SUBSTITUTE),
    ON(R(GB_NIR), 3, 17, SUBSTITUTE),
    FROM(ALL_GB, MON, 5, 1, LAST(2019)),
    ON(ALL_GB, 5, 8, ONCE(2020)), /* 75 years of peace */
    FROM(ALL_GB, MON, 5, 1, SINCE(2021)),
    UNTIL(ALL_GB, MON, 5, 31, LAST(2001)),
    UNTIL(ALL_GB, MON, 5, 31, SINCE(2003), LAST(2011)),
    UNTIL(ALL_GB, MON, 5, 31, SINCE(2013), LAST(2021)),
    UNTIL(ALL_GB, MON, 5, 31, SINCE(2023)),
    ON(ALL_GB, 6, 3, ONCE(2002)), /* jubilees, and the spring holiday moved to them */
    ON(ALL_GB, 6, 4, ONCE(2002)),
    ON(ALL_GB, 6, 4, ONCE(2012)),
    ON(ALL_GB, 6, 5, ONCE(2012)),
    ON(ALL_GB, 6, 2, ONCE(2022)),
    ON(ALL_GB, 6, 3, ONCE(2022)),
    ON(ALL_GB, 4, 29, ONCE(2011)), /* a wedding, a funeral, a coronation */
    ON(ALL_GB, 9, 19, ONCE(2022)),
    ON(ALL_GB, 5, 8, ONCE(2023)),
    ON(R(GB_NIR), 7, 12, SUBSTITUTE),
    FROM(R(GB_SCT), MON, 8, 1),
    UNTIL(ENG_WLS_NI, MON, 8, 31),
    ON(R(GB_SCT), 11, 30, SINCE(2007), SUBSTITUTE),
    ON(ALL_GB, 12, 25, SUBSTITUTE),
    ON(ALL_GB, 12, 26, SUBSTITUTE),

    {.regions = R(IE), .kind = HS_HOLIDAYS_BRIGID, SINCE(2023)},
    ON(R(IE), 3, 17),
    ON(R(IE), 3, 18, ONCE(2022)),
    FROM(R(IE), MON, 5, 1),
    FROM(R(IE), MON, 6, 1),
    FROM(R(IE), MON, 8, 1),
    UNTIL(R(IE), MON, 10, 31),

    ON(R(NL), 4, 30, LAST(2013), .shift = HS_HOLIDAYS_EVE),
    ON(R(NL), 4, 27, SINCE(2014), .shift = HS_HOLIDAYS_EVE),
    ON(R(NL), 5, 5, ONCE(2000)),
    ON(R(NL), 5, 5, ONCE(2005)),
    ON(R(NL), 5, 5, ONCE(2010)),
    ON(R(NL), 5, 5, ONCE(2015)),
    ON(R(NL), 5, 5, ONCE(2020)),
    ON(R(NL), 5, 5, ONCE(2025)),
    ON(R(NL), 5, 5, ONCE(2030)),
    ON(R(NL), 5, 5, ONCE(2035)),
    ON(R(NL), 5, 5, ONCE(2040)),

    EASTER(R(NO), -3),
    ON(R(NO), 5, 17),

    ON(R(SE), 1, 6),
    EASTER(R(SE), 50, LAST(2004)),
    ON(R(SE), 6, 6, SINCE(2005)),
    FROM(R(SE), FRI, 6, 19),
    FROM(R(SE), SAT, 6, 20),
    FROM(R(SE), SAT, 10, 31),
    ON(R(SE), 12, 24),
    ON(R(SE), 12, 31),

    ON(R(US), 1, 1, FEDERAL),
    FROM(R(US), MON, 1, 15),
    FROM(R(US), MON, 2, 15),
    UNTIL(R(US), MON, 5, 31),
    ON(R(US), 6, 19, SINCE(2021), FEDERAL),
    ON(R(US), 7, 4, FEDERAL),
    FROM(R(US), MON, 9, 1),
    FROM(R(US), MON, 10, 8),
    ON(R(US), 11, 11, FEDERAL),
    FROM(R(US), THU, 11, 22),
    ON(R(US), 12, 25, FEDERAL),
};
const size_t hs_holidays_n_rules = sizeof(hs_holidays_rules) / sizeof(hs_holidays_rules[0]);
