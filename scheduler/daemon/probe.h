/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * probe - look at a register, a topic or a stream once, without a running daemon.
 *
 * `hschedd --probe TARGET`, which `hsched plant probe` runs: what is needed to write `points`
 * (docs/plant.md, Finding registers and topics). Reads only.
 */

/** @param argv  [argc] what stands behind --probe. @return exit status */
int hs_probe_main(int argc, char **argv);
