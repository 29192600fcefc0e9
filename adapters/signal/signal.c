/* SPDX-License-Identifier: Apache-2.0 */
/* signal - the port's face; one backend so far, so its table is one call. */
#include "adapters/signal/signal.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "adapters/signal/signal_file.h"

#define SPEC_TEXT(field)                                                    \
    .type = HS_CONF_TEXT, .offset = offsetof(struct hs_signal_spec, field), \
    .size = sizeof(((struct hs_signal_spec *)NULL)->field)

static const struct hs_conf_field spec_fields[] = {
    {.name = "csv",
     SPEC_TEXT(csv),
     .required = true,
     .help = "file with RFC 3339 stamps in its first column, plain or .gz"},
    {.name = "column", SPEC_TEXT(column), .required = true, .help = "column to read"},
    {.name = "scale",
     .type = HS_CONF_REAL,
     .offset = offsetof(struct hs_signal_spec, scale),
     .min = -1e12,
     .max = 1e12,
     .has_default = true,
     .default_number = 1,
     .help = "multiplies each value, after x1000 for a column ending in _kw"},
    {.name = "shift_s",
     .type = HS_CONF_INT64,
     .offset = offsetof(struct hs_signal_spec, shift_s),
     .min = -4e9,
     .max = 4e9,
     .has_default = true,
     .unit = "s",
     .help = "added to the stamps, to bring another year in line; whole weeks advised"},
};

const struct hs_conf_table hs_signal_spec_table = {
    .name = "series",
    .fields = spec_fields,
    .n_fields = sizeof(spec_fields) / sizeof(spec_fields[0]),
};

/* Bounds are those of the thing, wide enough for any place on earth and any currency. */
const struct hs_signal_quantity hs_signal_heat = {"heat demand", "W", 0, 1e9};
const struct hs_signal_quantity hs_signal_outdoor = {"outdoor temperature", "°C", -95, 65};
const struct hs_signal_quantity hs_signal_irradiance = {"global irradiance", "W/m2", -50, 2000};
const struct hs_signal_quantity hs_signal_wind = {"wind speed", "m/s", 0, 120};
const struct hs_signal_quantity hs_signal_price = {"electricity price", "per MWh", -1e9, 1e9};
const struct hs_signal_quantity hs_signal_carbon = {"carbon intensity", "g/kWh", 0, 1e5};

int hs_signal_load_with(const struct hs_signal_spec *spec, const struct hs_signal_options *options,
                        struct hs_series **ret_series, struct hs_err *err)
{
    const char *dir = options->base_dir;
    char path[1024];

    if (spec->csv[0] == '/' || dir == NULL || dir[0] == '\0') {
        snprintf(path, sizeof(path), "%s", spec->csv);
    } else {
        snprintf(path, sizeof(path), "%s/%s", dir, spec->csv);
    }
    return hs_signal_file_read(spec, path, options, ret_series, err);
}

int hs_signal_load(const struct hs_signal_spec *spec, const char *base_dir,
                   struct hs_series **ret_series, struct hs_err *err)
{
    struct hs_signal_options options = {.base_dir = base_dir};

    return hs_signal_load_with(spec, &options, ret_series, err);
}
