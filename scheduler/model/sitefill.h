/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * sitefill - writes the catalogue's defaults into an estate's JSON before it is parsed.
 *
 * What the file says stays, at every depth; null switches a default off. A list that the file
 * gives replaces the template's; an item in it that bears the name of a template's item (the
 * loop `heat`, its sinks) takes what it leaves open from that item, any other item takes nothing.
 * A named cooling gives its loop a supply temperature, template or not.
 * Rule 3 of docs/architecture.md. Pure.
 */

#include <jansson.h>

#include "scheduler/model/assumed.h"

/**
 * Fill every site of @estate; shapes that are wrong are left for the parser to report.
 *
 * @param estate   changed in place
 * @param assumed  every value that was added, with its source
 */
void hs_sitefill_apply(json_t *estate, struct hs_assumed_list *assumed);
