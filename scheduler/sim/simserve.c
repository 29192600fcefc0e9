/* SPDX-License-Identifier: Apache-2.0 */
/*
 * simserve - adapters/plant's simulated plant on one side, its point map on the other.
 *
 * A look at the truth is taken every period; what it says is kept by row and put into the devices'
 * tables in one turn, before the next request is read.
 */
#include "scheduler/sim/simserve.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "adapters/plant/plant.h"
#include "adapters/plant/plant_modbus_server.h"
#include "scheduler/base/mem.h"
#include "scheduler/sim/servebroker.h"

#define WRONG_SCALE   10
#define BEAT_REGISTER HS_POINTMAP_HOLDING

struct outlet {
    struct hs_simserve *serve;
    struct hs_simserve_modbus device;
    struct hs_plant_modbus_server *server;
};

struct speaker {
    struct hs_simserve *serve;
    struct hs_simserve_mqtt broker;
    struct hs_servebroker *link;
};

/* What a row of the map says. */
struct served {
    const struct hs_pointmap_row *row;
    struct outlet *outlet; /* NULL: not ours */
    struct hs_pointmap_register reg;
    double value;    /* NAN: nothing */
    double said;     /* the same, bent by faults */
    double distance; /* of a tank's sensor from the nearest height that is simulated */
};

struct hs_simserve {
    struct hs_simserve_options options;
    struct hs_clock *clock; /* NULL before the first client */
    struct hs_plant *plant;
    struct hs_timer *look;
    struct outlet *outlets; /* [n_outlets] */
    size_t n_outlets;
    struct speaker *speakers; /* [n_speakers] */
    size_t n_speakers;
    double *said;        /* [n_rows] as said by MQTT */
    struct served *rows; /* [n_rows] of the map */
    size_t n_rows;
    double *rack_elec_w; /* [n_racks] as told */
    double *useful_wh;   /* [n_sinks] */
    double *captured_wh; /* [n_loops] */
    uint16_t beat;
    bool is_done;
};

static const struct hs_estate *get_estate(const struct hs_simserve *serve)
{
    return serve->options.scenario->estate;
}

/* ---- truth in ---- */

static void keep(struct hs_simserve *serve, const struct hs_point *point, double value)
{
    for (size_t i = 0; i < serve->n_rows; i++) {
        struct served *row = &serve->rows[i];
        const struct hs_point *own = &row->row->point;
        double distance = fabs(own->height_ratio - point->height_ratio);

        if (!row->row->is_write && own->kind == point->kind && own->thing_idx == point->thing_idx
            && distance <= row->distance) {
            row->distance = distance;
            row->value = value;
        }
    }
}

static void on_truth(void *arg, const struct hs_reading *reading)
{
    struct hs_simserve *serve = arg;
    size_t i = reading->point.thing_idx;

    keep(serve, &reading->point, reading->value);
    if (reading->point.kind == HS_POINT_USEFUL_HEAT_WH) {
        serve->useful_wh[i] = reading->value;
    } else if (reading->point.kind == HS_POINT_CAPTURED_HEAT_WH) {
        serve->captured_wh[i] = reading->value;
    }
    hs_executor_timer_set(serve->options.executor, serve->look, 0); /* once all of it is in */
}

static void on_refused(void *arg, const char *text)
{
}

/* What the balance does not know: weather, meters of racks, pumps that run. */
static void keep_rest(struct hs_simserve *serve, int64_t at_s)
{
    const struct hs_estate *estate = get_estate(serve);

    for (size_t s = 0; s < estate->n_sites; s++) {
        const struct hs_series *outdoor = serve->options.scenario->air[s].t_out_c;

        if (outdoor != NULL && hs_series_is_known(outdoor, at_s)) {
            keep(serve, &(struct hs_point){.kind = HS_POINT_OUTDOOR_C, .thing_idx = s},
                 hs_series_get_held(outdoor, at_s));
        }
    }
    for (size_t l = 0; l < estate->n_loops; l++) {
        keep(serve, &(struct hs_point){.kind = HS_POINT_PUMP_OK, .thing_idx = l}, 1);
        keep(serve, &(struct hs_point){.kind = HS_POINT_SINKS_OK, .thing_idx = l}, 1);
        keep(serve, &(struct hs_point){.kind = HS_POINT_LEAK, .thing_idx = l}, 0);
        keep(serve, &(struct hs_point){.kind = HS_POINT_SUPPLY_C, .thing_idx = l},
             estate->loops[l].supply_c);
    }
    for (size_t k = 0; k < estate->n_sinks; k++) {
        keep(serve, &(struct hs_point){.kind = HS_POINT_SINK_OK, .thing_idx = k}, 1);
    }
    for (size_t r = 0; r < estate->n_racks; r++) {
        keep(serve, &(struct hs_point){.kind = HS_POINT_RACK_ELEC_W, .thing_idx = r},
             serve->rack_elec_w[r]);
    }
}

/* ---- truth out, bent by faults ---- */

static bool has_fault(const struct hs_simserve *serve, enum hs_servefault_kind kind,
                      const char *name)
{
    return hs_servefault_check(serve->options.faults, serve->options.n_faults, kind, name,
                               hs_clock_at_s(serve->clock));
}

/* What the row says: the truth, if no fault is upon it. */
static void bend(const struct hs_simserve *serve, struct served *row)
{
    const char *path = row->row->path;

    if (has_fault(serve, HS_SERVEFAULT_FREEZE, path)) {
        return;
    }
    row->said = has_fault(serve, HS_SERVEFAULT_NAN, path) ? (double)NAN : row->value;
    if (has_fault(serve, HS_SERVEFAULT_SCALE, path)) {
        row->said *= WRONG_SCALE;
    }
}

static void put_row(struct hs_simserve *serve, struct served *row)
{
    struct hs_pointmap_register reg = row->reg;
    uint16_t words[HS_REGISTERS_WIDTH_MAX];

    if (has_fault(serve, HS_SERVEFAULT_SWAP, row->row->path)) {
        reg.order ^= HS_POINTMAP_CDAB;
    }
    if (hs_registers_encode(&reg, row->said, words, NULL) == 0) { /* else it says what it said */
        hs_plant_modbus_server_set(row->outlet->server, reg.table, reg.address, words,
                                   hs_registers_get_width(reg.type));
    }
}

static void put_outlet(struct hs_simserve *serve, struct outlet *outlet)
{
    const char *name = outlet->device.name;

    hs_plant_modbus_server_set_down(outlet->server,
                                    has_fault(serve, HS_SERVEFAULT_DISCONNECT, name));
    hs_plant_modbus_server_set_mute(outlet->server, has_fault(serve, HS_SERVEFAULT_MUTE, name));
    if (outlet->device.heartbeat >= 0 && !has_fault(serve, HS_SERVEFAULT_FREEZE, name)) {
        serve->beat++;
        hs_plant_modbus_server_set(outlet->server, BEAT_REGISTER, outlet->device.heartbeat,
                                   &serve->beat, 1);
    }
}

static void put_speaker(struct hs_simserve *serve, struct speaker *speaker)
{
    const char *name = speaker->broker.name;

    hs_servebroker_set_away(speaker->link, has_fault(serve, HS_SERVEFAULT_DISCONNECT, name));
    if (!has_fault(serve, HS_SERVEFAULT_MUTE, name)) {
        hs_servebroker_say(speaker->link, serve->said);
    }
}

static void look(void *arg)
{
    struct hs_simserve *serve = arg;
    int64_t now_at_s = hs_clock_at_s(serve->clock);
    int64_t span_s = now_at_s - serve->options.scenario->start_at_s;

    keep_rest(serve, now_at_s);
    for (size_t i = 0; i < serve->n_rows; i++) {
        struct served *row = &serve->rows[i];

        bend(serve, row);
        serve->said[i] = row->said;
        if (row->outlet != NULL && !row->row->is_write) {
            put_row(serve, row);
        }
    }
    for (size_t i = 0; i < serve->n_speakers; i++) {
        put_speaker(serve, &serve->speakers[i]);
    }
    for (size_t i = 0; i < serve->n_outlets; i++) {
        put_outlet(serve, &serve->outlets[i]);
    }
    if (serve->options.span_s > 0 && span_s >= serve->options.span_s && !serve->is_done) {
        serve->is_done = true;
        serve->options.done(serve->options.arg);
    }
}

/* ---- what we are told ---- */

static double read_row(const struct served *row)
{
    uint16_t words[HS_REGISTERS_WIDTH_MAX];

    hs_plant_modbus_server_get(row->outlet->server, row->reg.table, row->reg.address, words,
                               hs_registers_get_width(row->reg.type));
    return hs_registers_decode(&row->reg, words);
}

static void take_told(struct hs_simserve *serve, struct served *row, double value)
{
    row->value = value;
    if (row->row->point.kind == HS_POINT_RACK_ELEC_W && value >= 0) {
        serve->rack_elec_w[row->row->point.thing_idx] = value;
        if (serve->plant != NULL) {
            (void)hs_plant_feed(serve->plant, serve->rack_elec_w, get_estate(serve)->n_racks, NULL);
        }
    }
}

static void on_written(void *arg)
{
    struct hs_simserve *serve = ((struct outlet *)arg)->serve;

    for (size_t i = 0; i < serve->n_rows; i++) {
        struct served *row = &serve->rows[i];

        if (row->outlet != NULL && row->row->is_write) {
            take_told(serve, row, read_row(row));
        }
    }
}

static void on_told(void *arg, size_t row_idx, double value)
{
    struct hs_simserve *serve = ((struct speaker *)arg)->serve;

    take_told(serve, &serve->rows[row_idx], value);
}

/* ---- life ---- */

/* The world begins, once. */
static void begin(struct hs_simserve *serve)
{
    struct hs_plant_options options = {
        .executor = serve->options.executor,
        .estate = get_estate(serve),
        .listener = {.reading = on_truth, .refused = on_refused, .arg = serve},
        .period_plan_s = (double)serve->options.period_s,
    };

    if (serve->clock != NULL) {
        return;
    }
    serve->clock =
        hs_clock_new_accelerated(serve->options.scenario->start_at_s, serve->options.speed);
    options.clock = serve->clock;
    serve->plant = hs_plant_sim_new(
        &options, (const struct hs_series *const *)serve->options.scenario->demand_heat_w);
    hs_plant_start(serve->plant);
}

static void on_connected(void *arg)
{
    begin(((struct outlet *)arg)->serve);
}

static void on_up(void *arg)
{
    struct hs_simserve *serve = ((struct speaker *)arg)->serve;

    if (serve->n_outlets == 0) {
        begin(serve);
    }
}

static void begin_power(struct hs_simserve *serve)
{
    const struct hs_estate *estate = get_estate(serve);

    for (size_t h = 0; h < estate->n_hosts; h++) {
        const struct hs_host *host = &estate->hosts[h];

        serve->rack_elec_w[host->rack_idx] += hs_host_elec_w(host, (double)host->pinned_vcpus);
    }
}

static struct outlet *find_outlet(struct hs_simserve *serve, const char *name)
{
    for (size_t i = 0; i < serve->n_outlets; i++) {
        if (strcmp(serve->outlets[i].device.name, name) == 0) {
            return &serve->outlets[i];
        }
    }
    return NULL;
}

/* What the balance will say, before it has said anything. */
static bool is_simulated(enum hs_point_kind kind)
{
    return kind != HS_POINT_RETURN_C && kind != HS_POINT_FLOW_L_PER_MIN
           && kind != HS_POINT_RACK_INLET_C && kind != HS_POINT_OUTDOOR_GHI_W_PER_M2
           && kind != HS_POINT_OUTDOOR_WIND_M_PER_S && kind != HS_POINT_ELEC_W;
}

static void set_rows(struct hs_simserve *serve)
{
    const struct hs_pointmap *map = get_estate(serve)->points;

    serve->rows = hs_xcalloc(map->n_rows + 1, sizeof(*serve->rows));
    serve->said = hs_xcalloc(map->n_rows + 1, sizeof(*serve->said));
    for (size_t i = 0; i < map->n_rows; i++) {
        struct served *row = &serve->rows[serve->n_rows++];

        *row = (struct served){.row = &map->rows[i],
                               .outlet = find_outlet(serve, map->rows[i].modbus),
                               .value = NAN,
                               .said = NAN,
                               .distance = INFINITY};
        if (row->outlet != NULL) {
            row->reg = hs_registers_resolve(&row->row->reg, &row->outlet->device.defaults);
        }
        if (row->outlet != NULL && !is_simulated(row->row->point.kind) && !row->row->is_write) {
            hs_plant_modbus_server_set_hole(row->outlet->server, row->reg.table, row->reg.address,
                                            true); /* what is not known is never zero */
        }
    }
}

static int open_outlet(struct hs_simserve *serve, const struct hs_simserve_modbus *device,
                       struct hs_err *err)
{
    struct outlet *outlet = &serve->outlets[serve->n_outlets];
    const struct hs_plant_modbus_server_options options = {
        .executor = serve->options.executor,
        .host = device->host,
        .port = device->port,
        .connected = on_connected,
        .written = on_written,
        .arg = outlet,
    };
    int rc = hs_plant_modbus_server_new(&options, &outlet->server, err);

    outlet->serve = serve;
    outlet->device = *device;
    serve->n_outlets += rc == 0;
    return rc;
}

static void open_speaker(struct hs_simserve *serve, const struct hs_simserve_mqtt *broker)
{
    struct speaker *speaker = &serve->speakers[serve->n_speakers++];
    const struct hs_servebroker_options options = {
        .executor = serve->options.executor,
        .map = get_estate(serve)->points,
        .name = broker->name,
        .host = broker->host,
        .port = broker->port,
        .up = on_up,
        .told = on_told,
        .arg = speaker,
    };

    speaker->serve = serve;
    speaker->broker = *broker;
    speaker->link = hs_servebroker_new(&options);
}

static int check_rows(const struct hs_simserve *serve, struct hs_err *err)
{
    size_t n = 0;

    for (size_t i = 0; i < serve->n_rows; i++) {
        const struct served *row = &serve->rows[i];

        n += row->outlet != NULL;
        for (size_t k = 0; k < serve->n_speakers; k++) {
            n += strcmp(row->row->mqtt, serve->speakers[k].broker.name) == 0;
        }
        if (row->outlet != NULL
            && (row->reg.address < 0
                || row->reg.address + hs_registers_get_width(row->reg.type) > 65536)) {
            return hs_err_set(err, HS_E_INVALID, row->row->pointer,
                              "address %d lies outside of the table", row->row->reg.address);
        }
    }
    if (n == 0) {
        return hs_err_set(
            err, HS_E_INVALID, "estate",
            "no point of it is read from a device or broker of that name: give its sites, "
            "loops, sinks or racks 'points'");
    }
    return 0;
}

int hs_simserve_new(const struct hs_simserve_options *options, struct hs_simserve **ret_serve,
                    struct hs_err *err)
{
    HS_AUTO(hs_simserve) serve = hs_xcalloc(1, sizeof(*serve));
    const struct hs_estate *estate = options->scenario->estate;
    int rc = 0;

    serve->options = *options;
    serve->outlets = hs_xcalloc(options->n_modbus + 1, sizeof(*serve->outlets));
    serve->speakers = hs_xcalloc(options->n_mqtt + 1, sizeof(*serve->speakers));
    serve->rack_elec_w = hs_xcalloc(estate->n_racks, sizeof(double));
    serve->useful_wh = hs_xcalloc(estate->n_sinks, sizeof(double));
    serve->captured_wh = hs_xcalloc(estate->n_loops, sizeof(double));
    serve->look = hs_executor_timer_add(options->executor, -1.0, look, serve);
    begin_power(serve);
    for (size_t i = 0; i < options->n_modbus && rc == 0; i++) {
        rc = open_outlet(serve, &options->modbus[i], err);
    }
    for (size_t i = 0; i < options->n_mqtt && rc == 0; i++) {
        open_speaker(serve, &options->mqtt[i]);
    }
    if (rc == 0) {
        set_rows(serve);
        rc = check_rows(serve, err);
    }
    if (rc == 0) {
        *ret_serve = HS_STEAL(serve);
    }
    return rc;
}

int hs_simserve_get_port(const struct hs_simserve *serve, size_t modbus_idx)
{
    return hs_plant_modbus_server_get_port(serve->outlets[modbus_idx].server);
}

char *hs_simserve_format_silent(const struct hs_simserve *serve)
{
    char *text = hs_xstrdup("");

    for (size_t i = 0; i < serve->n_rows; i++) {
        const struct hs_pointmap_row *row = serve->rows[i].row;
        char *longer = NULL;

        if (is_simulated(row->point.kind)) {
            continue;
        }
        if (asprintf(&longer, "%s%s%s", text, text[0] != '\0' ? ", " : "", row->path) < 0) {
            hs_mem_exhausted();
        }
        free(text);
        text = longer;
    }
    return text;
}

json_t *hs_simserve_format(const struct hs_simserve *serve)
{
    const struct hs_estate *estate = get_estate(serve);
    json_t *object = hs_jsonx_object();
    json_t *points = hs_jsonx_object();
    json_t *told = hs_jsonx_object();
    char path[HS_POINT_MAX];

    hs_jsonx_set_at(object, "at", serve->clock != NULL ? hs_clock_at_s(serve->clock) : 0);
    for (size_t k = 0; k < estate->n_sinks; k++) {
        hs_reading_format_point(
            estate, &(struct hs_point){.kind = HS_POINT_USEFUL_HEAT_WH, .thing_idx = k}, path);
        hs_jsonx_set_real(points, path, serve->useful_wh[k]);
    }
    for (size_t l = 0; l < estate->n_loops; l++) {
        hs_reading_format_point(
            estate, &(struct hs_point){.kind = HS_POINT_CAPTURED_HEAT_WH, .thing_idx = l}, path);
        hs_jsonx_set_real(points, path, serve->captured_wh[l]);
    }
    for (size_t i = 0; i < serve->n_rows; i++) {
        const struct served *row = &serve->rows[i];

        hs_jsonx_set_real(row->row->is_write ? told : points, row->row->path, row->value);
    }
    hs_jsonx_set(object, "points", points);
    hs_jsonx_set(object, "told", told);
    return object;
}

void hs_simserve_free(struct hs_simserve *serve)
{
    if (serve == NULL) {
        return;
    }
    hs_plant_free(serve->plant);
    for (size_t i = 0; i < serve->n_outlets; i++) {
        hs_plant_modbus_server_free(serve->outlets[i].server);
    }
    for (size_t i = 0; i < serve->n_speakers; i++) {
        hs_servebroker_free(serve->speakers[i].link);
    }
    hs_executor_timer_remove(serve->options.executor, serve->look);
    hs_clock_free(serve->clock);
    free(serve->said);
    free(serve->rows);
    free(serve->speakers);
    free(serve->captured_wh);
    free(serve->useful_wh);
    free(serve->rack_elec_w);
    free(serve->outlets);
    free(serve);
}
