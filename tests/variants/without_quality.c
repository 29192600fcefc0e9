/* SPDX-License-Identifier: Apache-2.0 */
/* Without the rules of points: what a quantity can be at all is believed. */
#include "adapters/plant/plant_quality.h"

enum hs_quality __wrap_hs_plant_quality_judge(struct hs_plant_quality *quality,
                                              const struct hs_pointmap_rule *rule,
                                              enum hs_point_kind kind, double value, int64_t at_s);

enum hs_quality __wrap_hs_plant_quality_judge(struct hs_plant_quality *quality,
                                              const struct hs_pointmap_rule *rule,
                                              enum hs_point_kind kind, double value, int64_t at_s)
{
    return hs_reading_check(kind, value);
}
