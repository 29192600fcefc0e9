/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** signal_file - a series from one column of a CSV file, plain or .gz. */

#include "adapters/signal/signal.h"

/** As hs_signal_load_with(), @path resolved. @param ret_series owned by the caller on success */
int hs_signal_file_read(const struct hs_signal_spec *spec, const char *path,
                        const struct hs_signal_options *options, struct hs_series **ret_series,
                        struct hs_err *err);
