/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packtext - planes of bytes, zlib, base64 (RFC 4648) without padding.
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

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#define NO_DIGIT 64

/** Owned by the caller. */
static char *encode(const unsigned char *bytes, size_t n)
{
    char *text = hs_xcalloc(n * 4 / 3 + 3, 1);
    char *to = text;
    uint32_t bits = 0;
    int n_bits = 0;

    for (size_t i = 0; i < n; i++) {
        bits = (bits << 8 | bytes[i]) & 0xffff;
        for (n_bits += 8; n_bits >= 6; n_bits -= 6) {
            *to++ = digits[bits >> (n_bits - 6) & 63];
        }
    }
    if (n_bits > 0) {
        *to++ = digits[bits << (6 - n_bits) & 63];
    }
    return text;
}

/** @param ret_bytes  [3/4 of the text]. @return false if it holds anything but digits */
static bool decode(const char *text, unsigned char *ret_bytes)
{
    unsigned char values[UCHAR_MAX + 1];
    uint32_t bits = 0;
    int n_bits = 0;

    memset(values, NO_DIGIT, sizeof(values));
    for (unsigned char i = 0; i < NO_DIGIT; i++) {
        values[(unsigned char)digits[i]] = i;
    }
    for (; *text != '\0'; text++) {
        unsigned char value = values[(unsigned char)*text];

        if (value == NO_DIGIT) {
            return false;
        }
        bits = (bits << 6 | value) & 0xffff;
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            *ret_bytes++ = (unsigned char)(bits >> n_bits);
        }
    }
    return true;
}

char *hs_packtext_format(const void *bytes, size_t n)
{
    const unsigned char *from = bytes;
    HS_AUTO_MEM unsigned char *planes = hs_xcalloc(n + 1, 1);
    uLongf n_packed = compressBound(n);
    HS_AUTO_MEM unsigned char *packed = hs_xcalloc(n_packed, 1);

    for (size_t i = 0; i < n; i++) {
        planes[place(i, n)] = from[i];
    }
    if (compress2(packed, &n_packed, planes, n, QUICKLY) != Z_OK) {
        hs_mem_exhausted(); /* the room is there: only memory can be short */
    }
    return encode(packed, n_packed);
}

bool hs_packtext_parse(const char *text, void *ret_bytes, size_t n)
{
    unsigned char *to = ret_bytes;
    size_t n_packed = text != NULL ? strlen(text) * 3 / 4 : 0;
    HS_AUTO_MEM unsigned char *packed = hs_xcalloc(n_packed + 1, 1);
    HS_AUTO_MEM unsigned char *planes = hs_xcalloc(n + 1, 1);
    uLongf n_planes = n + 1; /* room for one too many, which is told from just enough */

    if (text == NULL || !decode(text, packed)
        || uncompress(planes, &n_planes, packed, n_packed) != Z_OK || n_planes != n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        to[i] = planes[place(i, n)];
    }
    return true;
}
