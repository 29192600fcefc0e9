/* SPDX-License-Identifier: Apache-2.0 */
/* console_text - a guest may write any bytes at all; readers get plain UTF-8. */
#include "adapters/compute/console_text.h"

#include <stdbool.h>
#include <stdint.h>

/** Bytes of the UTF-8 character at @p, 0 if it is none (overlong, surrogate, cut off). */
static size_t utf8_length(const unsigned char *p, size_t n_left)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n;
    uint32_t code;

    if (p[0] < 0x80) {
        return 1;
    }
    n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || n > n_left) {
        return 0;
    }
    code = p[0] & (0x7fU >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
        code = (code << 6) | (p[i] & 0x3fU);
    }
    return code < least[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : n;
}

/** Bytes of the terminal sequence that begins with ESC at @p. */
static size_t escape_length(const unsigned char *p, size_t n_left)
{
    size_t n = 2;

    if (n_left < 2) {
        return n_left;
    }
    if (p[1] != '[') {
        return 2;
    }
    /* ESC [ parameters and intermediates (0x20..0x3f), then one final byte */
    while (n < n_left && p[n] >= 0x20 && p[n] <= 0x3f) {
        n++;
    }
    return n < n_left ? n + 1 : n;
}

size_t hs_console_text_clean(char *text, size_t n_bytes)
{
    unsigned char *bytes = (unsigned char *)text;
    size_t n_out = 0;
    size_t i = 0;

    while (i < n_bytes) {
        unsigned char c = bytes[i];
        size_t n;

        if (c == 0x1b) {
            i += escape_length(bytes + i, n_bytes - i);
            continue;
        }
        if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f) {
            i++;
            continue;
        }
        n = utf8_length(bytes + i, n_bytes - i);
        if (n == 0) {
            bytes[n_out++] = '?';
            i++;
            continue;
        }
        while (n-- > 0) {
            bytes[n_out++] = bytes[i++];
        }
    }
    return n_out;
}
