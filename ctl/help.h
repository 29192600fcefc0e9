/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** help - the table of commands as text on stdout. */

#include "ctl/command.h"

/** Every command, one a line. */
void hs_help_print_all(void);

/** One command: how to write it, its options, its details. */
void hs_help_print(const struct hs_command *command);
