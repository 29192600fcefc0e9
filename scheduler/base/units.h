/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * units - the only place where one unit becomes another.
 *
 * Names carry the unit as their last suffix. Inside the tree quantities are double in
 * W, Wh, degrees Celsius, s, l; kW, kWh and percent exist only where a person reads.
 */

#define HS_S_PER_H          3600.0
#define HS_S_PER_DAY        86400
#define HS_WATER_WH_PER_L_K 1.163 /* 4.186 kJ/(kg K) at 1 kg/l */

/** Energy of @power_w held for @span_s: [W] x [s] -> [Wh]. */
static inline double hs_wh_from_w(double power_w, double span_s)
{
    return power_w * span_s / HS_S_PER_H;
}

/** Mean power that moves @energy_wh in @span_s (> 0): [Wh] / [s] -> [W]. */
static inline double hs_w_from_wh(double energy_wh, double span_s)
{
    return energy_wh * HS_S_PER_H / span_s;
}

/** Absolute temperature: [degrees Celsius] -> [K]. */
static inline double hs_k_from_c(double temperature_c)
{
    return temperature_c + 273.15;
}

/** Money for @energy_wh at @price: [Wh] x [cur/MWh] -> [cur]. */
static inline double hs_cur_from_wh(double energy_wh, double price_cur_per_mwh)
{
    return energy_wh * price_cur_per_mwh * 1e-6;
}

/** Price that emissions add: [cur/t] x [g/kWh] -> [cur/MWh]; 1 g/kWh is 1e-3 t/MWh. */
static inline double hs_cur_per_mwh_from_carbon(double carbon_cur_per_t, double gco2_per_kwh)
{
    return carbon_cur_per_t * gco2_per_kwh * 1e-3;
}

/** Emissions of @energy_wh: [Wh] x [g/kWh] -> [g]. */
static inline double hs_gco2_from_wh(double energy_wh, double gco2_per_kwh)
{
    return energy_wh * gco2_per_kwh * 1e-3;
}

/** Heat held by @volume_l of water @spread_k warmer: [l] x [K] -> [Wh]. */
static inline double hs_wh_from_l_k(double volume_l, double spread_k)
{
    return volume_l * HS_WATER_WH_PER_L_K * spread_k;
}
