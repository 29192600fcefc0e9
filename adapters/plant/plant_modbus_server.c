/* SPDX-License-Identifier: Apache-2.0 */
/* plant_modbus_server - libmodbus' own tables and replies, one watch a client. */
#include "adapters/plant/plant_modbus_server.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include <modbus/modbus.h>

#include "scheduler/base/mem.h"

#define CLIENTS_MAX 32
#define TABLE_MAX   65536
#define N_TABLES    4

struct client {
    struct hs_plant_modbus_server *server;
    int fd; /* -1: free place */
    struct hs_watch *watch;
};

struct hs_plant_modbus_server {
    struct hs_plant_modbus_server_options options;
    modbus_t *modbus;
    modbus_mapping_t *tables;
    int listener;
    struct hs_watch *watch;
    struct client clients[CLIENTS_MAX];
    uint8_t *holes; /* [N_TABLES][TABLE_MAX] 1: no such register */
    bool is_down;
    bool is_mute;
};

static void close_client(struct client *client)
{
    if (client->fd >= 0) {
        hs_executor_watch_remove(client->server->options.executor, client->watch);
        close(client->fd);
        client->fd = -1;
    }
}

/* Does the request read over a hole? */
static bool hits_hole(const struct hs_plant_modbus_server *server, const uint8_t *pdu)
{
    static const enum hs_pointmap_table tables[] = {
        [MODBUS_FC_READ_COILS] = HS_POINTMAP_COIL,
        [MODBUS_FC_READ_DISCRETE_INPUTS] = HS_POINTMAP_DISCRETE,
        [MODBUS_FC_READ_HOLDING_REGISTERS] = HS_POINTMAP_HOLDING,
        [MODBUS_FC_READ_INPUT_REGISTERS] = HS_POINTMAP_INPUT,
    };
    int first = pdu[1] << 8 | pdu[2];
    int end = first + (pdu[3] << 8 | pdu[4]);
    const uint8_t *holes;

    if (pdu[0] < MODBUS_FC_READ_COILS || pdu[0] > MODBUS_FC_READ_INPUT_REGISTERS) {
        return false;
    }
    holes = server->holes + (size_t)tables[pdu[0]] * TABLE_MAX;
    end = end < TABLE_MAX ? end : TABLE_MAX;
    return first < end && memchr(holes + first, 1, (size_t)(end - first)) != NULL;
}

static bool is_write(uint8_t function)
{
    return function == MODBUS_FC_WRITE_SINGLE_COIL || function == MODBUS_FC_WRITE_SINGLE_REGISTER
           || function == MODBUS_FC_WRITE_MULTIPLE_COILS
           || function == MODBUS_FC_WRITE_MULTIPLE_REGISTERS;
}

static void on_request(int fd, unsigned events, void *arg)
{
    struct client *client = arg;
    struct hs_plant_modbus_server *server = client->server;
    uint8_t request[MODBUS_TCP_MAX_ADU_LENGTH];
    const uint8_t *pdu = request + modbus_get_header_length(server->modbus);
    int n;

    modbus_set_socket(server->modbus, fd);
    n = modbus_receive(server->modbus, request);
    if (n <= 0) {
        close_client(client);
        return;
    }
    if (server->is_mute) {
        return;
    }
    if (hits_hole(server, pdu)) {
        n = modbus_reply_exception(server->modbus, request, MODBUS_EXCEPTION_ILLEGAL_DATA_ADDRESS);
    } else {
        n = modbus_reply(server->modbus, request, n, server->tables);
    }
    if (n < 0) {
        close_client(client);
    } else if (is_write(pdu[0]) && server->options.written != NULL) {
        server->options.written(server->options.arg);
    }
}

static void on_client(int fd, unsigned events, void *arg)
{
    struct hs_plant_modbus_server *server = arg;
    struct client *client = NULL;
    int client_fd = modbus_tcp_accept(server->modbus, &server->listener);

    for (size_t i = 0; i < CLIENTS_MAX && client == NULL; i++) {
        client = server->clients[i].fd < 0 ? &server->clients[i] : NULL;
    }
    if (client_fd >= 0 && (server->is_down || client == NULL || client_fd >= FD_SETSIZE)) {
        close(client_fd);
    } else if (client_fd >= 0) {
        client->fd = client_fd;
        client->watch = hs_executor_watch_add(server->options.executor, client_fd, HS_WATCH_READ,
                                              on_request, client);
        if (server->options.connected != NULL) {
            server->options.connected(server->options.arg);
        }
    }
}

int hs_plant_modbus_server_new(const struct hs_plant_modbus_server_options *options,
                               struct hs_plant_modbus_server **ret_server, struct hs_err *err)
{
    HS_AUTO(hs_plant_modbus_server) server = hs_xcalloc(1, sizeof(*server));

    server->options = *options;
    server->listener = -1;
    server->holes = hs_xcalloc(N_TABLES, TABLE_MAX);
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        server->clients[i] = (struct client){.server = server, .fd = -1};
    }
    server->modbus = modbus_new_tcp(options->host, options->port);
    server->tables = modbus_mapping_new(TABLE_MAX, TABLE_MAX, TABLE_MAX, TABLE_MAX);
    if (server->modbus == NULL || server->tables == NULL) {
        return hs_err_set(err, HS_E_SYSTEM, options->host, "cannot be listened on: %s",
                          modbus_strerror(errno));
    }
    server->listener = modbus_tcp_listen(server->modbus, CLIENTS_MAX);
    if (server->listener < 0) {
        return hs_err_set(err, HS_E_SYSTEM, options->host, "cannot listen on port %d: %s",
                          options->port, strerror(errno));
    }
    server->watch = hs_executor_watch_add(options->executor, server->listener, HS_WATCH_READ,
                                          on_client, server);
    *ret_server = HS_STEAL(server);
    return 0;
}

int hs_plant_modbus_server_get_port(const struct hs_plant_modbus_server *server)
{
    struct sockaddr_in address = {0};
    socklen_t n_bytes = sizeof(address);

    (void)getsockname(server->listener, (struct sockaddr *)&address, &n_bytes);
    return ntohs(address.sin_port);
}

void hs_plant_modbus_server_set(struct hs_plant_modbus_server *server, enum hs_pointmap_table table,
                                int address, const uint16_t *words, int n)
{
    modbus_mapping_t *tables = server->tables;

    assert(address >= 0 && address + n <= TABLE_MAX);
    for (int i = 0; i < n; i++) {
        switch (table) {
        case HS_POINTMAP_HOLDING:
            tables->tab_registers[address + i] = words[i];
            break;
        case HS_POINTMAP_INPUT:
            tables->tab_input_registers[address + i] = words[i];
            break;
        case HS_POINTMAP_COIL:
            tables->tab_bits[address + i] = words[i] != 0;
            break;
        case HS_POINTMAP_DISCRETE:
            tables->tab_input_bits[address + i] = words[i] != 0;
            break;
        }
    }
}

void hs_plant_modbus_server_get(const struct hs_plant_modbus_server *server,
                                enum hs_pointmap_table table, int address, uint16_t *ret_words,
                                int n)
{
    const modbus_mapping_t *tables = server->tables;

    assert(address >= 0 && address + n <= TABLE_MAX);
    for (int i = 0; i < n; i++) {
        ret_words[i] = table == HS_POINTMAP_HOLDING ? tables->tab_registers[address + i]
                       : table == HS_POINTMAP_INPUT ? tables->tab_input_registers[address + i]
                       : table == HS_POINTMAP_COIL  ? tables->tab_bits[address + i]
                                                    : tables->tab_input_bits[address + i];
    }
}

void hs_plant_modbus_server_set_hole(struct hs_plant_modbus_server *server,
                                     enum hs_pointmap_table table, int address, bool is_hole)
{
    server->holes[(size_t)table * TABLE_MAX + (size_t)address] = is_hole;
}

void hs_plant_modbus_server_set_down(struct hs_plant_modbus_server *server, bool is_down)
{
    server->is_down = is_down;
    for (size_t i = 0; i < CLIENTS_MAX && is_down; i++) {
        close_client(&server->clients[i]);
    }
}

void hs_plant_modbus_server_set_mute(struct hs_plant_modbus_server *server, bool is_mute)
{
    server->is_mute = is_mute;
}

void hs_plant_modbus_server_free(struct hs_plant_modbus_server *server)
{
    if (server == NULL) {
        return;
    }
    hs_plant_modbus_server_set_down(server, true);
    if (server->watch != NULL) {
        hs_executor_watch_remove(server->options.executor, server->watch);
    }
    if (server->listener >= 0) {
        close(server->listener);
    }
    if (server->modbus != NULL) {
        modbus_set_socket(server->modbus, -1);
        modbus_free(server->modbus);
    }
    modbus_mapping_free(server->tables);
    free(server->holes);
    free(server);
}
