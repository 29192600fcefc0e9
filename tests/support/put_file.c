/* SPDX-License-Identifier: Apache-2.0 */
/*
 * put_file - writes PATH anew with COUNT bytes 'n': `whole` as the programs do it, `plain` as they
 * must not. tests/cli/disk_full.py fails each of its system calls in turn.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/wholefile.h"

static int put_plain(const char *path, const char *bytes, size_t n)
{
    FILE *file = fopen(path, "we");

    return file != NULL && fwrite(bytes, 1, n, file) == n && fclose(file) == 0 ? 0 : -1;
}

int main(int argc, char **argv)
{
    HS_AUTO_MEM char *bytes = NULL;
    struct hs_err err = {0};
    size_t n;
    int rc;

    if (argc != 4) {
        fprintf(stderr, "usage: put_file whole|plain PATH COUNT\n");
        return 2;
    }
    n = strtoul(argv[3], NULL, 10);
    bytes = hs_xcalloc(n, 1);
    memset(bytes, 'n', n);
    rc = strcmp(argv[1], "plain") == 0 ? put_plain(argv[2], bytes, n)
                                       : hs_wholefile_put(argv[2], 0600, bytes, n, &err);
    if (rc != 0) {
        fprintf(stderr, "put_file: %s\n", err.text);
    }
    return rc != 0;
}
