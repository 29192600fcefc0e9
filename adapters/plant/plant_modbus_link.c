/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plant_modbus_link - libmodbus on a socket that we connect ourselves.
 *
 * libmodbus waits with select(): a descriptor from FD_SETSIZE on would be written beyond its set,
 * so such a one is refused before libmodbus sees it.
 */
#include "adapters/plant/plant_modbus_link.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include <modbus/modbus.h>

#include "scheduler/base/mem.h"

#define BITS_MAX  HS_REGISTERS_READ_MAX
#define US_PER_S  1e6
#define MS_PER_S  1e3
#define WHERE_MAX 280

struct hs_plant_modbus_link {
    modbus_t *modbus;
    char *host;
    char where[WHERE_MAX]; /* host:port, for messages */
    char port[8];
    double timeout_s;
    bool is_up;
    unsigned session;
};

struct hs_plant_modbus_link *hs_plant_modbus_link_new(const char *host, int port, double timeout_s)
{
    struct hs_plant_modbus_link *link = hs_xcalloc(1, sizeof(*link));
    double whole_s = floor(timeout_s);

    link->modbus = modbus_new_tcp("127.0.0.1", 502); /* not used: the socket is given to it */
    if (link->modbus == NULL) {
        hs_mem_exhausted();
    }
    link->host = hs_xstrdup(host);
    snprintf(link->port, sizeof(link->port), "%d", port);
    snprintf(link->where, sizeof(link->where), "%.250s:%d", host, port);
    link->timeout_s = timeout_s;
    modbus_set_response_timeout(link->modbus, (uint32_t)whole_s,
                                (uint32_t)((timeout_s - whole_s) * US_PER_S));
    modbus_set_byte_timeout(link->modbus, 0, 0); /* the whole answer within the timeout */
    return link;
}

void hs_plant_modbus_link_set_socket(struct hs_plant_modbus_link *link, int fd)
{
    modbus_close(link->modbus);
    modbus_set_socket(link->modbus, fd);
    link->is_up = true;
    link->session++;
}

static void drop(struct hs_plant_modbus_link *link)
{
    modbus_close(link->modbus);
    modbus_set_socket(link->modbus, -1);
    link->is_up = false;
}

/* Wait until the connection that was begun on @fd is made. @return 0 or an errno */
static int wait_connected(int fd, double timeout_s)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
    socklen_t n_bytes = sizeof(int);
    int sys_errno = 0;
    int n = poll(&poll_fd, 1, (int)ceil(timeout_s * MS_PER_S));

    if (n == 0) {
        return ETIMEDOUT;
    }
    if (n < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &sys_errno, &n_bytes) != 0) {
        return errno;
    }
    return sys_errno;
}

/* @return 0 with @ret_fd, owned by the caller, or an errno */
static int connect_one(const struct addrinfo *address, double timeout_s, int *ret_fd)
{
    HS_AUTO_FD fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int one = 1;
    int sys_errno = 0;

    if (fd < 0) {
        return errno;
    }
    if (fd >= FD_SETSIZE) {
        return EMFILE;
    }
    if (connect(fd, address->ai_addr, address->ai_addrlen) != 0) {
        sys_errno = errno == EINPROGRESS ? wait_connected(fd, timeout_s) : errno;
    }
    if (sys_errno != 0) {
        return sys_errno;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    *ret_fd = fd;
    fd = -1;
    return 0;
}

static int make_connection(struct hs_plant_modbus_link *link, struct hs_err *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses = NULL;
    int sys_errno = 0;
    int fd = -1;
    int gai;

    if (link->is_up) {
        return 0;
    }
    gai = getaddrinfo(link->host, link->port, &hints, &addresses);
    if (gai != 0) {
        return hs_err_set(err, HS_E_UNAVAILABLE, link->where, "name '%s' is not known: %s",
                          link->host, gai_strerror(gai));
    }
    for (const struct addrinfo *a = addresses; a != NULL && fd < 0; a = a->ai_next) {
        sys_errno = connect_one(a, link->timeout_s, &fd);
    }
    freeaddrinfo(addresses);
    if (fd < 0) {
        return hs_err_set(err, sys_errno == ETIMEDOUT ? HS_E_TIMEOUT : HS_E_UNAVAILABLE,
                          link->where, "no connection: %s", strerror(sys_errno));
    }
    hs_plant_modbus_link_set_socket(link, fd);
    return 0;
}

/* What libmodbus' errno means, closing the connection unless the device itself said no. */
static int refuse(struct hs_plant_modbus_link *link, const char *what, int address,
                  struct hs_err *err)
{
    int sys_errno = errno;

    switch (sys_errno) {
    case EMBXILADD:
        return hs_err_set(err, HS_E_NOTFOUND, link->where, "%s %d: there is no such address", what,
                          address);
    case EMBXILFUN:
        return hs_err_set(err, HS_E_UNSUPPORTED, link->where,
                          "%s %d: the device does not know this table", what, address);
    case EMBXILVAL:
    case EMBXSFAIL:
    case EMBXACK:
    case EMBXSBUSY:
    case EMBXNACK:
    case EMBXMEMPAR:
    case EMBXGPATH:
    case EMBXGTAR:
        return hs_err_set(err, HS_E_DENIED, link->where, "%s %d: the device says '%s'", what,
                          address, modbus_strerror(sys_errno));
    default:
        break;
    }
    drop(link);
    if (sys_errno == ETIMEDOUT) {
        return hs_err_set(err, HS_E_TIMEOUT, link->where, "%s %d: no answer within %g s", what,
                          address, link->timeout_s);
    }
    return hs_err_set(err, sys_errno > MODBUS_ENOBASE ? HS_E_PROTOCOL : HS_E_UNAVAILABLE,
                      link->where, "%s %d: %s", what, address, modbus_strerror(sys_errno));
}

static int read_bits(struct hs_plant_modbus_link *link, const struct hs_registers_block *block,
                     uint16_t *ret_words)
{
    uint8_t bits[BITS_MAX] = {0};
    int n = block->table == HS_POINTMAP_COIL
                ? modbus_read_bits(link->modbus, block->first, block->count, bits)
                : modbus_read_input_bits(link->modbus, block->first, block->count, bits);

    for (int i = 0; i < n; i++) {
        ret_words[i] = bits[i] != 0;
    }
    return n;
}

int hs_plant_modbus_link_read(struct hs_plant_modbus_link *link,
                              const struct hs_registers_block *block, uint16_t *ret_words,
                              struct hs_err *err)
{
    bool is_bits = block->table == HS_POINTMAP_COIL || block->table == HS_POINTMAP_DISCRETE;
    int n;
    int rc;

    assert(block->count > 0 && block->count <= HS_REGISTERS_READ_MAX);
    rc = make_connection(link, err);
    if (rc != 0) {
        return rc;
    }
    modbus_set_slave(link->modbus, block->unit);
    if (is_bits) {
        n = read_bits(link, block, ret_words);
    } else if (block->table == HS_POINTMAP_INPUT) {
        n = modbus_read_input_registers(link->modbus, block->first, block->count, ret_words);
    } else {
        n = modbus_read_registers(link->modbus, block->first, block->count, ret_words);
    }
    return n == block->count
               ? 0
               : refuse(link, hs_pointmap_table_words[block->table], block->first, err);
}

int hs_plant_modbus_link_write(struct hs_plant_modbus_link *link,
                               const struct hs_pointmap_register *reg, const uint16_t *words,
                               struct hs_err *err)
{
    int width = hs_registers_get_width(reg->type);
    int rc = make_connection(link, err);
    int n;

    if (rc != 0) {
        return rc;
    }
    modbus_set_slave(link->modbus, reg->unit);
    if (reg->table == HS_POINTMAP_COIL) {
        n = modbus_write_bit(link->modbus, reg->address, words[0]);
    } else if (width == 1) {
        n = modbus_write_register(link->modbus, reg->address, words[0]);
    } else {
        n = modbus_write_registers(link->modbus, reg->address, width, words);
    }
    return n >= 0 ? 0 : refuse(link, hs_pointmap_table_words[reg->table], reg->address, err);
}

bool hs_plant_modbus_link_is_up(const struct hs_plant_modbus_link *link)
{
    return link->is_up;
}

unsigned hs_plant_modbus_link_get_session(const struct hs_plant_modbus_link *link)
{
    return link->session;
}

void hs_plant_modbus_link_free(struct hs_plant_modbus_link *link)
{
    if (link != NULL) {
        modbus_close(link->modbus);
        modbus_free(link->modbus);
        free(link->host);
        free(link);
    }
}
