/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * svg - a picture as SVG text: lines, areas, words. Same calls, same bytes.
 *
 * Lengths are pixels from the top left. Colours are Okabe and Ito's, told apart by readers of any
 * colour vision. Source: https://jfly.uni-koeln.de/color/.
 */

#include <stddef.h>

#include "scheduler/base/auto.h"

#define HS_SVG_BLACK  "#333333"
#define HS_SVG_GREY   "#999999"
#define HS_SVG_FAINT  "#e4e4e4"
#define HS_SVG_ORANGE "#e69f00"
#define HS_SVG_BLUE   "#0072b2"
#define HS_SVG_GREEN  "#009e73"
#define HS_SVG_PURPLE "#cc79a7"
#define HS_SVG_RED    "#d55e00"

enum hs_svg_anchor { HS_SVG_LEFT, HS_SVG_MIDDLE, HS_SVG_RIGHT };

struct hs_svg_point {
    double x;
    double y;
};

struct hs_svg;

/** A white page. @param title for screen readers. Owned by the caller */
struct hs_svg *hs_svg_new(double width, double height, const char *title);

/** What follows until hs_svg_end() is one thing, found by @id. */
void hs_svg_begin(struct hs_svg *svg, const char *id);
void hs_svg_end(struct hs_svg *svg);

/** @param size font, px; negative: bold */
void hs_svg_text(struct hs_svg *svg, struct hs_svg_point at, enum hs_svg_anchor anchor, double size,
                 const char *text);

/** A thin line. @param colour as in HS_SVG_… or any SVG colour */
void hs_svg_line(struct hs_svg *svg, struct hs_svg_point from, struct hs_svg_point to,
                 const char *colour);

/** A filled rectangle between two corners. */
void hs_svg_rect(struct hs_svg *svg, struct hs_svg_point from, struct hs_svg_point to,
                 const char *colour);

/** A line through @points. A point with y NAN interrupts it. @param points [n_points] */
void hs_svg_path(struct hs_svg *svg, const struct hs_svg_point *points, size_t n_points,
                 const char *colour, double width);

/** The area inside @points, as opaque as @opacity_ratio. @param points [n_points] */
void hs_svg_area(struct hs_svg *svg, const struct hs_svg_point *points, size_t n_points,
                 const char *colour, double opacity_ratio);

/** The whole picture; owned by the caller (free). Nothing can be drawn afterwards. */
char *hs_svg_format(struct hs_svg *svg);

/** Accepts NULL. */
void hs_svg_free(struct hs_svg *svg);
HS_DEFINE_AUTO(hs_svg);
