/* SPDX-License-Identifier: Apache-2.0 */
/* simchart - buckets, scales, ticks, then the drawing. */
#include "scheduler/sim/simchart.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "scheduler/base/mem.h"
#include "scheduler/sim/svg.h"

#define CHART_WIDTH  960.0
#define CHART_LEFT   64.0
#define CHART_RIGHT  24.0
#define CHART_TOP    58.0
#define CHART_HEAD   24.0 /* over each panel: title and legend */
#define CHART_GAP    12.0
#define CHART_BOTTOM 34.0
#define CHART_CHAR   7.6  /* mean width of a letter of 12 px, for the legend */
#define CHART_TICK   36.0 /* least height between two lines */
#define DAY_S        86400

/** One series over the buckets. */
struct buckets {
    double *mean; /* [n] */
    double *least;
    double *most;
    size_t n;
};

struct frame {
    const struct hs_simchart *chart;
    struct hs_svg *svg;
    int64_t bucket_s;
    size_t n_buckets;
    double top; /* of the panel at hand */
    double height;
    double low; /* of its axis */
    double high;
};

/* --- time --- */

static int64_t get_span_s(const struct hs_simchart *chart)
{
    return (int64_t)chart->n * chart->slot_s;
}

static int64_t choose_bucket_s(const struct hs_simchart *chart)
{
    int64_t span_s = get_span_s(chart), bucket_s;

    if (span_s <= (int64_t)4 * DAY_S) {
        bucket_s = chart->slot_s;
    } else if (span_s <= (int64_t)10 * DAY_S) {
        bucket_s = 3600;
    } else {
        bucket_s = span_s <= (int64_t)500 * DAY_S ? DAY_S : (int64_t)7 * DAY_S;
    }
    return bucket_s > chart->slot_s ? bucket_s : chart->slot_s;
}

static const char *get_bucket_text(const struct frame *frame)
{
    if (frame->bucket_s == frame->chart->slot_s) {
        return NULL;
    }
    return frame->bucket_s == 3600    ? "means over an hour; bands: least and most slot in it"
           : frame->bucket_s == DAY_S ? "means over a day; bands: least and most slot in it"
                                      : "means over a week; bands: least and most slot in it";
}

/** From one tick to the next, s; 0: months. */
static int64_t choose_tick_s(int64_t span_s)
{
    static const int64_t hours[] = {3, 6, 12, 24, 48, 96, 168};

    for (size_t i = 0; i < sizeof(hours) / sizeof(hours[0]); i++) {
        if (span_s / (hours[i] * 3600) <= 10) {
            return hours[i] * 3600;
        }
    }
    return 0;
}

/** The first of the @n_months-th month after @at_s's. */
static int64_t get_next_month_at_s(int64_t at_s, int n_months)
{
    time_t at = (time_t)at_s;
    struct tm parts;

    gmtime_r(&at, &parts);
    parts.tm_mon += n_months;
    parts.tm_mday = 1;
    parts.tm_hour = parts.tm_min = parts.tm_sec = 0;
    return (int64_t)timegm(&parts);
}

static void format_tick(int64_t at_s, int64_t tick_s, char *ret_text, size_t size)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t at = (time_t)at_s;
    struct tm parts;

    gmtime_r(&at, &parts);
    if (tick_s == 0) {
        snprintf(ret_text, size, "%s %d", months[parts.tm_mon], parts.tm_year + 1900);
    } else if (at_s % DAY_S == 0) {
        snprintf(ret_text, size, "%d %s", parts.tm_mday, months[parts.tm_mon]);
    } else {
        snprintf(ret_text, size, "%02d:%02d", parts.tm_hour, parts.tm_min);
    }
}

static double get_x(const struct frame *frame, double at_s)
{
    double span_s = (double)get_span_s(frame->chart);

    return CHART_LEFT
           + (at_s - (double)frame->chart->from_at_s) / span_s
                 * (CHART_WIDTH - CHART_LEFT - CHART_RIGHT);
}

/* --- values --- */

static struct buckets make_buckets(const struct frame *frame, const double *values)
{
    size_t slots = (size_t)(frame->bucket_s / frame->chart->slot_s);
    struct buckets b = {.n = frame->n_buckets};

    b.mean = hs_xcalloc(b.n, sizeof(double));
    b.least = hs_xcalloc(b.n, sizeof(double));
    b.most = hs_xcalloc(b.n, sizeof(double));
    for (size_t i = 0; i < b.n; i++) {
        double sum = 0;
        size_t n = 0;

        b.least[i] = b.most[i] = (double)NAN;
        for (size_t t = i * slots; t < (i + 1) * slots && t < frame->chart->n; t++) {
            if (!isnan(values[t])) {
                sum += values[t];
                n++;
                b.least[i] = fmin(b.least[i], values[t]);
                b.most[i] = fmax(b.most[i], values[t]);
            }
        }
        b.mean[i] = n > 0 ? sum / (double)n : (double)NAN;
    }
    return b;
}

static void fini_buckets(struct buckets *b)
{
    free(b->mean);
    free(b->least);
    free(b->most);
}

/** A round step that gives no more than about @n_ticks from @low to @high. */
static double choose_step(double low, double high, double n_ticks)
{
    static const double rounds[] = {1, 2, 2.5, 5, 10};
    double rough = (high - low) / n_ticks, power = pow(10, floor(log10(rough)));

    for (size_t i = 0; i < sizeof(rounds) / sizeof(rounds[0]); i++) {
        if (rounds[i] * power >= rough * (1 - 1e-9)) {
            return rounds[i] * power;
        }
    }
    return 10 * power;
}

static double get_n_ticks(const struct frame *frame)
{
    return floor(frame->height / CHART_TICK);
}

static void choose_scale(struct frame *frame, const struct hs_simchart_panel *panel)
{
    double low = 0, high = panel->most;

    for (size_t s = 0; s < panel->n_series; s++) {
        for (size_t t = 0; t < frame->chart->n; t++) {
            low = fmin(low, panel->series[s].values[t]);
            high = isnan(panel->most) ? fmax(high, panel->series[s].values[t]) : high;
        }
    }
    high = high > low ? high : low + 1;
    if (isnan(panel->most)) {
        double step = choose_step(low, high, get_n_ticks(frame));

        low = floor(low / step) * step;
        high = ceil(high / step - 1e-9) * step;
    }
    frame->low = low;
    frame->high = high;
}

static double get_y(const struct frame *frame, double value)
{
    double ratio = (value - frame->low) / (frame->high - frame->low);

    return frame->top + frame->height * (1 - ratio);
}

/* --- drawing --- */

static void draw_y_axis(const struct frame *frame)
{
    double step = choose_step(frame->low, frame->high, get_n_ticks(frame));
    int decimals = step >= 1 ? 0 : step >= 0.1 ? 1 : 2;

    for (double value = ceil(frame->low / step - 1e-9) * step; value <= frame->high + step * 1e-6;
         value += step) {
        double y = get_y(frame, value);
        char text[32];

        snprintf(text, sizeof(text), "%.*f", decimals, fabs(value) < step * 1e-6 ? 0.0 : value);
        hs_svg_line(frame->svg, (struct hs_svg_point){CHART_LEFT, y},
                    (struct hs_svg_point){CHART_WIDTH - CHART_RIGHT, y},
                    fabs(value) < step * 1e-6 ? HS_SVG_GREY : HS_SVG_FAINT);
        hs_svg_text(frame->svg, (struct hs_svg_point){CHART_LEFT - 8, y + 4}, HS_SVG_RIGHT, 12,
                    text);
    }
}

/** Time ticks as lines through the panel, with their words under the last one. */
static void draw_x_axis(const struct frame *frame, bool is_last)
{
    int64_t tick_s = choose_tick_s(get_span_s(frame->chart));
    int64_t end_at_s = frame->chart->from_at_s + get_span_s(frame->chart);
    int64_t at_s = frame->chart->from_at_s;
    int n_months = 1 + (int)(get_span_s(frame->chart) / ((int64_t)400 * DAY_S));

    if (tick_s == 0) {
        at_s = get_next_month_at_s(at_s - 1, 1);
    } else {
        /* whole days count from the start, parts of a day from midnight */
        at_s = tick_s >= DAY_S ? (at_s + DAY_S - 1) / DAY_S * DAY_S
                               : (at_s + tick_s - 1) / tick_s * tick_s;
    }
    for (; at_s <= end_at_s;
         at_s = tick_s == 0 ? get_next_month_at_s(at_s, n_months) : at_s + tick_s) {
        double x = get_x(frame, (double)at_s);
        char text[32];

        hs_svg_line(frame->svg, (struct hs_svg_point){x, frame->top},
                    (struct hs_svg_point){x, frame->top + frame->height + (is_last ? 5 : 0)},
                    HS_SVG_FAINT);
        format_tick(at_s, tick_s, text, sizeof(text));
        if (is_last && x < CHART_WIDTH - CHART_RIGHT + 1) {
            hs_svg_text(frame->svg, (struct hs_svg_point){x, frame->top + frame->height + 20},
                        HS_SVG_MIDDLE, 12, text);
        }
    }
}

/** Steps: a value holds through its bucket. @param ret_points [2 * n_buckets] */
static void make_steps(const struct frame *frame, const double *values,
                       struct hs_svg_point *ret_points)
{
    int64_t end_at_s = frame->chart->from_at_s + get_span_s(frame->chart);

    for (size_t i = 0; i < frame->n_buckets; i++) {
        double from_at_s = (double)(frame->chart->from_at_s + (int64_t)i * frame->bucket_s);
        double y = get_y(frame, values[i]);

        ret_points[2 * i] = (struct hs_svg_point){get_x(frame, from_at_s), y};
        ret_points[2 * i + 1] = (struct hs_svg_point){
            get_x(frame, fmin(from_at_s + (double)frame->bucket_s, (double)end_at_s)), y};
    }
}

/** The area from @under to @over; NULL: from 0. */
static void draw_area(const struct frame *frame, const double *over, const double *under,
                      const char *colour, double opacity_ratio)
{
    size_t n = 2 * frame->n_buckets;
    HS_AUTO_MEM struct hs_svg_point *points = hs_xcalloc(2 * n, sizeof(*points));
    HS_AUTO_MEM struct hs_svg_point *back = hs_xcalloc(n, sizeof(*back));

    make_steps(frame, over, points);
    make_steps(frame, under != NULL ? under : over, back);
    for (size_t i = 0; i < n; i++) {
        points[n + i] = back[n - 1 - i];
        if (under == NULL) {
            points[n + i].y = get_y(frame, 0);
        }
    }
    hs_svg_area(frame->svg, points, 2 * n, colour, opacity_ratio);
}

static void draw_series(const struct frame *frame, const struct hs_simchart_series *series)
{
    struct buckets b = make_buckets(frame, series->values);
    HS_AUTO_MEM struct hs_svg_point *points = hs_xcalloc(2 * b.n, sizeof(*points));

    hs_svg_begin(frame->svg, series->name);
    if (series->is_area) {
        draw_area(frame, b.mean, NULL, series->colour, 0.35);
    } else if (frame->bucket_s > frame->chart->slot_s) { /* two bands in a panel blur both */
        draw_area(frame, b.most, b.least, series->colour, 0.18);
    }
    make_steps(frame, b.mean, points);
    hs_svg_path(frame->svg, points, 2 * b.n, series->colour, 1.6);
    hs_svg_end(frame->svg);
    fini_buckets(&b);
}

static void draw_head(const struct frame *frame, const struct hs_simchart_panel *panel)
{
    double x = CHART_WIDTH - CHART_RIGHT, y = frame->top - 8;

    hs_svg_text(frame->svg, (struct hs_svg_point){CHART_LEFT, y}, HS_SVG_LEFT, -13, panel->title);
    for (size_t s = panel->n_series; panel->n_series > 1 && s-- > 0;) {
        const struct hs_simchart_series *series = &panel->series[s];

        hs_svg_text(frame->svg, (struct hs_svg_point){x, y}, HS_SVG_RIGHT, 12, series->name);
        x -= (double)strlen(series->name) * CHART_CHAR + 6;
        hs_svg_rect(frame->svg, (struct hs_svg_point){x - 18, y - (series->is_area ? 10 : 6)},
                    (struct hs_svg_point){x, y - (series->is_area ? 0 : 3)}, series->colour);
        x -= 18 + 16;
    }
}

static double get_height(const struct hs_simchart *chart)
{
    double height = CHART_TOP + CHART_BOTTOM;

    for (size_t p = 0; p < chart->n_panels; p++) {
        height += CHART_HEAD + chart->panels[p].height + CHART_GAP;
    }
    return height;
}

static void draw_title(const struct frame *frame)
{
    const char *subtitle = frame->chart->subtitle, *means = get_bucket_text(frame);
    char text[256];

    snprintf(text, sizeof(text), "%s%s%s; times are UTC", subtitle != NULL ? subtitle : "",
             subtitle != NULL && means != NULL ? "; " : "", means != NULL ? means : "");
    hs_svg_text(frame->svg, (struct hs_svg_point){CHART_LEFT, 26}, HS_SVG_LEFT, -16,
                frame->chart->title);
    hs_svg_text(frame->svg, (struct hs_svg_point){CHART_LEFT, 46}, HS_SVG_LEFT, 12, text);
}

char *hs_simchart_format(const struct hs_simchart *chart)
{
    double height = get_height(chart);
    HS_AUTO(hs_svg) svg = hs_svg_new(CHART_WIDTH, height, chart->title);
    struct frame frame = {.chart = chart, .svg = svg, .bucket_s = choose_bucket_s(chart)};
    double top = CHART_TOP;

    frame.n_buckets = (size_t)((get_span_s(chart) + frame.bucket_s - 1) / frame.bucket_s);
    draw_title(&frame);
    for (size_t p = 0; p < chart->n_panels; p++) {
        const struct hs_simchart_panel *panel = &chart->panels[p];

        frame.top = top + CHART_HEAD;
        frame.height = panel->height;
        choose_scale(&frame, panel);
        draw_x_axis(&frame, p + 1 == chart->n_panels);
        draw_y_axis(&frame);
        for (size_t s = 0; s < panel->n_series; s++) {
            draw_series(&frame, &panel->series[s]);
        }
        draw_head(&frame, panel);
        top = frame.top + frame.height + CHART_GAP;
    }
    return hs_svg_format(svg);
}
