/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plant_modbus - a round every period: one job on the bus' lane reads all blocks and writes what
 * the plant is to be told, then its results are judged on the executor's thread.
 *
 * The connection belongs to whichever job runs; lanes run one at a time. A job may outlive the
 * plant (a call that hangs): it finds `plant` gone in what they share.
 */
#include "adapters/plant/plant_modbus.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "adapters/plant/plant_modbus_link.h"
#include "adapters/plant/plant_quality.h"
#include "scheduler/base/mem.h"

#define PERIOD_REAL_MIN_S 0.05
#define BACKOFF_FIRST_S   0.5
#define BACKOFF_MOST_S    30.0
#define DEADLINE_EXTRA_S  2.0
#define GAP_ALONE         (-100000) /* no two numbers share a read */
#define REGISTERS         65536

/* What the plant and its jobs share; on the executor's thread but for the link. */
struct bus {
    struct plant_modbus *plant; /* NULL when it is gone */
    struct hs_plant_modbus_link *link;
    size_t n_refs;
};

/* A row that is read. */
struct channel {
    const struct hs_pointmap_row *row;
    struct hs_plant_quality quality;
    bool is_refused; /* and that was said */
};

/* A row that is written. */
struct output {
    const struct hs_pointmap_row *row;
    struct hs_pointmap_register reg;
    double value; /* NAN: nothing */
    bool is_refused;
};

struct plant_modbus {
    struct hs_plant base;
    struct hs_plant_modbus_device device;
    struct bus *bus;
    struct hs_lane *lane;
    struct hs_timer *timer;
    struct channel *channels; /* [n_channels] */
    size_t n_channels;
    struct hs_pointmap_register *regs; /* [n_regs] of the channels, then the device's heartbeat */
    size_t n_regs;
    size_t *block_idx;                 /* [n_regs] */
    struct hs_registers_block *blocks; /* [n_blocks] */
    size_t n_blocks;
    struct output *outputs; /* [n_outputs] */
    size_t n_outputs;
    struct hs_plant_quality_beat beat;
    unsigned session;
    unsigned n_failed; /* rounds in a row without a connection */
    bool is_told;      /* whether it is up was said */
    bool was_up;
    bool is_running; /* a job is out */
    bool is_urgent;  /* something new is to be written */
    bool own_beat;
};

struct write {
    struct hs_pointmap_register reg;
    uint16_t words[HS_REGISTERS_WIDTH_MAX];
    size_t output_idx;
    int rc;
    struct hs_err err;
};

struct answer {
    struct hs_registers_block block;
    uint16_t words[HS_REGISTERS_READ_MAX];
    int rc;
    struct hs_err err;
};

/* All that a round needs, copied: the worker touches nothing else. */
struct job {
    struct bus *bus;
    struct answer *answers; /* [n_answers] */
    size_t n_answers;
    struct write *writes; /* [n_writes] */
    size_t n_writes;
    unsigned session;
    bool is_up;
    struct hs_err err; /* why not */
};

/* ---- the job ---- */

static void run_job(void *arg)
{
    struct job *job = arg;
    struct hs_plant_modbus_link *link = job->bus->link;
    bool is_lost = false;

    for (size_t i = 0; i < job->n_writes && !is_lost; i++) {
        struct write *write = &job->writes[i];

        write->rc = hs_plant_modbus_link_write(link, &write->reg, write->words, &write->err);
        is_lost = !hs_plant_modbus_link_is_up(link);
        job->err = is_lost ? write->err : job->err;
    }
    for (size_t i = 0; i < job->n_answers && !is_lost; i++) {
        struct answer *answer = &job->answers[i];

        answer->rc = hs_plant_modbus_link_read(link, &answer->block, answer->words, &answer->err);
        is_lost = !hs_plant_modbus_link_is_up(link);
        job->err = is_lost ? answer->err : job->err;
    }
    job->is_up = !is_lost;
    job->session = hs_plant_modbus_link_get_session(link);
}

static void unref_bus(struct bus *bus)
{
    if (--bus->n_refs == 0) {
        hs_plant_modbus_link_free(bus->link);
        free(bus);
    }
}

static void release_job(void *arg)
{
    struct job *job = arg;

    unref_bus(job->bus);
    free(job->writes);
    free(job->answers);
    free(job);
}

/* What is to be written in this round. */
static void add_writes(struct plant_modbus *plant, struct job *job)
{
    job->writes = hs_xcalloc(plant->n_outputs + 1, sizeof(*job->writes));
    for (size_t i = 0; i < plant->n_outputs; i++) {
        struct output *output = &plant->outputs[i];
        struct write *write = &job->writes[job->n_writes];

        if (output->row->point.kind == HS_POINT_HEARTBEAT && plant->device.can_write) {
            output->value = plant->own_beat ? 1 : 0;
        }
        *write = (struct write){.reg = output->reg, .output_idx = i, .rc = -HS_E_UNAVAILABLE};
        if (!isnan(output->value)
            && hs_registers_encode(&output->reg, output->value, write->words, NULL) == 0) {
            job->n_writes++;
        }
    }
    plant->own_beat = !plant->own_beat;
}

static struct job *make_job(struct plant_modbus *plant)
{
    struct job *job = hs_xcalloc(1, sizeof(*job));

    job->bus = plant->bus;
    job->bus->n_refs++;
    job->n_answers = plant->n_blocks;
    job->answers = hs_xcalloc(plant->n_blocks + 1, sizeof(*job->answers));
    for (size_t i = 0; i < plant->n_blocks; i++) {
        job->answers[i].block = plant->blocks[i];
        job->answers[i].rc = -HS_E_UNAVAILABLE;
    }
    add_writes(plant, job);
    return job;
}

/* ---- its results ---- */

static void group(struct plant_modbus *plant, int gap)
{
    plant->n_blocks =
        hs_registers_group(plant->regs, plant->n_regs, gap, plant->blocks, plant->block_idx);
}

static void tell(struct plant_modbus *plant, bool is_up, const struct hs_err *err)
{
    const struct hs_plant_modbus_device *device = &plant->device;

    if (plant->is_told && plant->was_up == is_up) {
        return;
    }
    plant->is_told = true;
    plant->was_up = is_up;
    hs_plant_tell_connection(&plant->base, is_up, "modbus '%s' at %s:%d: %s", device->name,
                             device->host, device->port, is_up ? "connected" : err->text);
}

static void refuse(struct plant_modbus *plant, const struct hs_pointmap_row *row,
                   const struct hs_err *err)
{
    char text[400];

    snprintf(text, sizeof(text), "modbus '%s', point '%.100s': %s", plant->device.name, row->path,
             err->text);
    plant->base.options.listener.refused(plant->base.options.listener.arg, text);
}

static void fail_channel(struct plant_modbus *plant, struct channel *channel)
{
    if (hs_plant_quality_is_stale(&channel->quality, &channel->row->rule,
                                  hs_clock_at_s(plant->base.options.clock))) {
        hs_plant_deliver_bad(&plant->base, channel->row, HS_QUALITY_STALE);
    }
}

/** Is the device alive by its own heartbeat? One without a heartbeat is. */
static bool check_beat(struct plant_modbus *plant, const struct job *job)
{
    const struct hs_pointmap_register *reg = &plant->regs[plant->n_channels];
    const struct answer *answer;
    double number = NAN;

    if (!plant->device.heartbeat.present) {
        return true;
    }
    answer = &job->answers[plant->block_idx[plant->n_channels]];
    if (answer->rc == 0) {
        number = hs_registers_decode(reg, answer->words + (reg->address - answer->block.first));
    }
    return hs_plant_quality_add_beat(&plant->beat, number, plant->device.heartbeat.max_age_s,
                                     hs_clock_at_s(plant->base.options.clock));
}

static void take_channel(struct plant_modbus *plant, size_t i, const struct job *job, bool is_alive)
{
    struct channel *channel = &plant->channels[i];
    const struct answer *answer = &job->answers[plant->block_idx[i]];
    const struct hs_pointmap_register *reg = &plant->regs[i];

    if (answer->rc != 0) {
        if (job->is_up && !channel->is_refused) {
            refuse(plant, channel->row, &answer->err);
        }
        channel->is_refused = job->is_up;
        fail_channel(plant, channel);
        return;
    }
    channel->is_refused = false;
    if (!is_alive) {
        hs_plant_deliver_bad(&plant->base, channel->row, HS_QUALITY_STUCK);
        return;
    }
    hs_plant_deliver_by(
        &plant->base, channel->row, &channel->quality,
        hs_registers_decode(reg, answer->words + (reg->address - answer->block.first)));
}

static void take_writes(struct plant_modbus *plant, const struct job *job)
{
    for (size_t i = 0; i < job->n_writes; i++) {
        const struct write *write = &job->writes[i];
        struct output *output = &plant->outputs[write->output_idx];

        if (write->rc != 0 && job->is_up && !output->is_refused) {
            refuse(plant, output->row, &write->err);
        }
        output->is_refused = write->rc != 0 && job->is_up;
    }
}

/* Some devices refuse a whole read for a hole in it: then every number is asked for alone. */
static bool find_hole(const struct plant_modbus *plant, const struct job *job)
{
    for (size_t i = 0; i < job->n_answers; i++) {
        bool is_shared = false;
        size_t n_in_block = 0;

        for (size_t r = 0; r < plant->n_regs; r++) {
            n_in_block += plant->block_idx[r] == i;
        }
        is_shared = n_in_block > 1;
        if (job->answers[i].rc == -HS_E_NOTFOUND && is_shared) {
            return true;
        }
    }
    return false;
}

static void take_job(struct plant_modbus *plant, const struct job *job)
{
    bool is_alive;

    if (job->session != plant->session) {
        plant->session = job->session;
        for (size_t i = 0; i < plant->n_channels; i++) {
            hs_plant_quality_reconnect(&plant->channels[i].quality);
        }
    }
    tell(plant, job->is_up, &job->err);
    plant->n_failed = job->is_up ? 0 : plant->n_failed + 1;
    if (job->is_up && find_hole(plant, job)) {
        group(plant, GAP_ALONE);
        plant->is_urgent = true;
        return;
    }
    take_writes(plant, job);
    is_alive = check_beat(plant, job);
    for (size_t i = 0; i < plant->n_channels; i++) {
        take_channel(plant, i, job, is_alive);
    }
}

static double get_pause_s(const struct plant_modbus *plant)
{
    double speed = hs_clock_get_speed(plant->base.options.clock);

    if (plant->n_failed > 0) {
        return fmin(ldexp(BACKOFF_FIRST_S, (int)fmin(plant->n_failed - 1, 16)), BACKOFF_MOST_S);
    }
    if (plant->is_urgent) {
        return 0;
    }
    return fmax((double)plant->device.period_s / speed, PERIOD_REAL_MIN_S);
}

static void end_job(int rc, void *arg)
{
    struct job *job = arg;
    struct plant_modbus *plant = job->bus->plant;
    struct hs_err late;

    if (plant == NULL) {
        return;
    }
    plant->is_running = false;
    if (rc == 0) {
        take_job(plant, job);
    } else { /* the worker may still be writing to the job: nothing of it is looked at */
        hs_err_set(&late, HS_E_TIMEOUT, NULL, "it does not answer");
        tell(plant, false, &late);
        plant->n_failed++;
        for (size_t i = 0; i < plant->n_channels; i++) {
            fail_channel(plant, &plant->channels[i]);
        }
    }
    hs_executor_timer_set(plant->base.options.executor, plant->timer, get_pause_s(plant));
    plant->is_urgent = false;
}

static void begin_round(void *arg)
{
    struct plant_modbus *plant = arg;
    size_t n_calls = plant->n_blocks + plant->n_outputs + 1;

    plant->is_running = true;
    plant->is_urgent = false;
    hs_executor_run(plant->base.options.executor, plant->lane,
                    plant->device.timeout_s * (double)n_calls + DEADLINE_EXTRA_S, run_job, end_job,
                    release_job, make_job(plant));
}

/* ---- the port ---- */

static void plant_modbus_start(struct hs_plant *base)
{
    struct plant_modbus *plant = (struct plant_modbus *)base;

    plant->timer = hs_executor_timer_add(base->options.executor, 0, begin_round, plant);
}

static int plant_modbus_write(struct hs_plant *base, const struct hs_point *point, double value,
                              struct hs_err *err)
{
    struct plant_modbus *plant = (struct plant_modbus *)base;
    uint16_t words[HS_REGISTERS_WIDTH_MAX];

    for (size_t i = 0; i < plant->n_outputs; i++) {
        struct output *output = &plant->outputs[i];
        const struct hs_point *own = &output->row->point;
        int rc;

        if (own->kind != point->kind || own->thing_idx != point->thing_idx) {
            continue;
        }
        if (!plant->device.can_write) {
            return hs_err_set(err, HS_E_DENIED, output->row->path,
                              "modbus '%s' is read only: its write is off", plant->device.name);
        }
        rc = isnan(value) ? 0 : hs_registers_encode(&output->reg, value, words, err);
        if (rc == 0 && output->value != value && plant->timer != NULL) {
            plant->is_urgent = !isnan(value);
            if (plant->is_urgent && !plant->is_running && plant->n_failed == 0) {
                hs_executor_timer_set(base->options.executor, plant->timer, 0);
            }
        }
        output->value = rc == 0 ? value : output->value;
        return rc;
    }
    return hs_err_set(err, HS_E_NOTFOUND, plant->device.name, "no point of it is to be written");
}

static void plant_modbus_destroy(struct hs_plant *base)
{
    struct plant_modbus *plant = (struct plant_modbus *)base;

    plant->bus->plant = NULL;
    hs_executor_timer_remove(base->options.executor, plant->timer);
    hs_executor_lane_remove(base->options.executor, plant->lane);
    unref_bus(plant->bus);
    free(plant->outputs);
    free(plant->blocks);
    free(plant->block_idx);
    free(plant->regs);
    free(plant->channels);
    free(plant);
}

static const struct hs_plant_ops plant_modbus_ops = {
    .name = "modbus",
    .summary = "registers of a Modbus TCP device, by the estate's point map",
    .start = plant_modbus_start,
    .write = plant_modbus_write,
    .destroy = plant_modbus_destroy,
};

static int check_register(const struct hs_pointmap_row *row, const struct hs_pointmap_register *reg,
                          struct hs_err *err)
{
    if (reg->address < 0 || reg->address + hs_registers_get_width(reg->type) > REGISTERS) {
        return hs_err_set(err, HS_E_INVALID, row->pointer,
                          "address %d lies outside of the table, which begins with %d",
                          row->reg.address, row->reg.address - reg->address);
    }
    return 0;
}

int hs_plant_modbus_check(const struct hs_plant_modbus_device *device,
                          const struct hs_pointmap_row *row, struct hs_err *err)
{
    struct hs_pointmap_register reg = hs_registers_resolve(&row->reg, &device->defaults);

    return check_register(row, &reg, err);
}

static int add_row(struct plant_modbus *plant, const struct hs_pointmap_row *row,
                   struct hs_err *err)
{
    struct hs_pointmap_register reg = hs_registers_resolve(&row->reg, &plant->device.defaults);
    int rc = check_register(row, &reg, err);

    if (rc == 0 && row->is_write) {
        plant->outputs[plant->n_outputs++] = (struct output){.row = row, .reg = reg, .value = NAN};
    } else if (rc == 0) {
        plant->regs[plant->n_channels] = reg;
        plant->channels[plant->n_channels].row = row;
        hs_plant_quality_init(&plant->channels[plant->n_channels++].quality);
    }
    return rc;
}

int hs_plant_modbus_new(const struct hs_plant_options *options,
                        const struct hs_plant_modbus_device *device, struct hs_plant **ret_plant,
                        struct hs_err *err)
{
    const struct hs_pointmap *map = options->estate->points;
    size_t n_rows = map != NULL ? map->n_rows : 0;
    struct plant_modbus *plant = hs_xcalloc(1, sizeof(*plant));
    int rc = 0;

    plant->base.ops = &plant_modbus_ops;
    plant->base.options = *options;
    plant->device = *device;
    plant->channels = hs_xcalloc(n_rows + 1, sizeof(*plant->channels));
    plant->outputs = hs_xcalloc(n_rows + 1, sizeof(*plant->outputs));
    plant->regs = hs_xcalloc(n_rows + 1, sizeof(*plant->regs));
    plant->block_idx = hs_xcalloc(n_rows + 1, sizeof(*plant->block_idx));
    plant->blocks = hs_xcalloc(n_rows + 1, sizeof(*plant->blocks));
    plant->bus = hs_xcalloc(1, sizeof(*plant->bus));
    plant->bus->plant = plant;
    plant->bus->n_refs = 1;
    plant->bus->link = hs_plant_modbus_link_new(device->host, device->port, device->timeout_s);
    plant->lane = hs_executor_lane_add(options->executor, device->name);
    for (size_t i = 0; i < n_rows && rc == 0; i++) {
        if (strcmp(map->rows[i].modbus, device->name) == 0) {
            rc = add_row(plant, &map->rows[i], err);
        }
    }
    plant->n_regs = plant->n_channels;
    if (device->heartbeat.present) {
        plant->regs[plant->n_regs++] =
            hs_registers_resolve(&device->heartbeat.reg, &device->defaults);
    }
    hs_plant_quality_init_beat(&plant->beat);
    group(plant, device->gap);
    if (rc != 0) {
        plant_modbus_destroy(&plant->base);
        return rc;
    }
    *ret_plant = &plant->base;
    return 0;
}
