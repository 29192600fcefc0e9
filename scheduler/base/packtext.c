/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packtext - planes of bytes, zlib, hexadecimal digits.
 *
 * Values are mostly doubles of like size: with all their first bytes together, then all their
 * second ones and so on, zlib finds what repeats.
 */
#include "scheduler/base/packtext.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>

#include "scheduler/base/auto.h"
#include "scheduler/base/mem.h"

#define PLANES  8 /* bytes of a double */
#define QUICKLY 1 /* zlib's fastest level: saving must not hold up anything */

/** Where byte @i of @n lies among the planes; what is left over stays at the end. */
static size_t place(size_t i, size_t n)
{
    size_t n_values = n / PLANES;

    return i < n_values * PLANES ? i % PLANES * n_values + i / PLANES : i;
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *hs_packtext_format(const void *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *from = bytes;
    HS_AUTO_MEM unsigned char *planes = hs_xcalloc(n + 1, 1);
    uLongf n_packed = compressBound(n);
    HS_AUTO_MEM unsigned char *packed = hs_xcalloc(n_packed, 1);

    for (size_t i = 0; i < n; i++) {
        planes[place(i, n)] = from[i];
    }
    if (compress2(packed, &n_packed, planes, n, QUICKLY) != Z_OK) {
        abort(); /* the room is there: only memory can be short */
    }
    char *text = hs_xcalloc(2 * n_packed + 1, 1);

    for (size_t i = 0; i < n_packed; i++) {
        text[2 * i] = digits[packed[i] >> 4];
        text[2 * i + 1] = digits[packed[i] & 15];
    }
    return text;
}

bool hs_packtext_parse(const char *text, void *ret_bytes, size_t n)
{
    unsigned char *to = ret_bytes;
    size_t n_packed = text != NULL ? strlen(text) / 2 : 0;
    HS_AUTO_MEM unsigned char *packed = hs_xcalloc(n_packed + 1, 1);
    HS_AUTO_MEM unsigned char *planes = hs_xcalloc(n + 1, 1);
    uLongf n_planes = n + 1; /* room for one too many, which is told from just enough */

    if (text == NULL || strlen(text) != 2 * n_packed) {
        return false;
    }
    for (size_t i = 0; i < n_packed; i++) {
        int high = digit_value(text[2 * i]);
        int low = digit_value(text[2 * i + 1]);

        if (high < 0 || low < 0) {
            return false;
        }
        packed[i] = (unsigned char)(high << 4 | low);
    }
    if (uncompress(planes, &n_planes, packed, n_packed) != Z_OK || n_planes != n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        to[i] = planes[place(i, n)];
    }
    return true;
}
