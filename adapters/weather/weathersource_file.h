/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** weathersource_file - a forecast from a file: read again whenever the file has changed. */

#include "adapters/weather/weatherread.h"

/** Blocking. Nothing is found, and all is well, while the file is as its mark says. */
void hs_weathersource_file_read(struct hs_weatherread *read);
