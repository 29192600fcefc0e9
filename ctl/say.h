/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** say - words for the person at the terminal: always stderr, never data. */

/** One line "hsched: …" on stderr. */
__attribute__((format(printf, 1, 2))) void hs_say_error(const char *fmt, ...);

/** One line on stderr as it is: a note, or what to do next. */
__attribute__((format(printf, 1, 2))) void hs_say_note(const char *fmt, ...);

/** printf into a text of its own; owned by the caller (free). Never NULL. */
__attribute__((format(printf, 1, 2))) char *hs_say_format(const char *fmt, ...);
