/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** signal_file - a series from one column of a CSV file, plain or .gz. */

#include "adapters/signal/signal.h"

/** As hs_signal_load_quantity(), @path resolved. @param quantity  nullable: any value is taken */
int hs_signal_file_read(const struct hs_signal_spec *spec, const char *path,
                        const struct hs_signal_quantity *quantity, struct hs_series **ret_series,
                        struct hs_signal_odd *ret_odd, struct hs_err *err);
