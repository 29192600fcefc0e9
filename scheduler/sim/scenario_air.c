/* SPDX-License-Identifier: Apache-2.0 */
/* scenario_air - see scenario_air.h. */
#include "scheduler/sim/scenario_air.h"

#include <stdio.h>

/** A column that need not be there. */
static int read_column(const char *column, const struct hs_signal_quantity *quantity,
                       const struct hs_signal_spec *spec, const struct hs_signal_options *options,
                       struct hs_series **ret_series, struct hs_err *err)
{
    struct hs_signal_spec beside = *spec;
    struct hs_signal_options exact = *options;
    struct hs_signal_odd odd;
    int rc;

    snprintf(beside.column, sizeof(beside.column), "%s", column);
    beside.scale = 1; /* the entry's is of its own column */
    exact.quantity = quantity;
    exact.odd = &odd;
    rc = hs_signal_load_with(&beside, &exact, ret_series, err);
    return rc == -HS_E_NOTFOUND ? 0 : rc; /* the file was read before */
}

int hs_scenario_air_read(struct hs_scenario_air *air, const struct hs_signal_spec *spec,
                         const struct hs_signal_options *options, struct hs_err *err)
{
    int rc = read_column("ghi_w_m2", &hs_signal_irradiance, spec, options, &air->ghi_w_per_m2, err);

    return rc == 0
               ? read_column("wind_m_s", &hs_signal_wind, spec, options, &air->wind_m_per_s, err)
               : rc;
}

int hs_scenario_air_read_beside_heat(struct hs_scenario_air *air, const struct hs_signal_spec *spec,
                                     const struct hs_signal_options *options, struct hs_err *err)
{
    int rc = read_column("t_out_c", &hs_signal_outdoor, spec, options, &air->t_out_c, err);

    return rc == 0 && air->t_out_c != NULL ? hs_scenario_air_read(air, spec, options, err) : rc;
}

bool hs_scenario_air_find_outlook(const struct hs_scenario_air *air, int64_t now_at_s,
                                  struct hs_outlook *ret_outlook)
{
    const struct hs_outlook *newest =
        air->issued != NULL ? hs_issuedcsv_find(air->issued, now_at_s - air->issued_shift_s) : NULL;

    if (newest == NULL) {
        return false;
    }
    *ret_outlook = *newest;
    ret_outlook->issued_at_s += air->issued_shift_s;
    ret_outlook->from_at_s += air->issued_shift_s;
    return true;
}

void hs_scenario_air_fini(struct hs_scenario_air *air)
{
    hs_issuedcsv_free(air->issued);
    hs_series_free(air->wind_m_per_s);
    hs_series_free(air->ghi_w_per_m2);
    hs_series_free(air->t_out_c);
    *air = (struct hs_scenario_air){0};
}
