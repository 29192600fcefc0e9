/* SPDX-License-Identifier: Apache-2.0 */
/* svg - elements one after the other. */
#include "scheduler/sim/svg.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#include "scheduler/base/mem.h"

struct hs_svg {
    FILE *out;
    char *text;
    size_t n_bytes;
};

static void put_escaped(struct hs_svg *svg, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '<':
            fputs("&lt;", svg->out);
            break;
        case '>':
            fputs("&gt;", svg->out);
            break;
        case '&':
            fputs("&amp;", svg->out);
            break;
        case '"':
            fputs("&quot;", svg->out);
            break;
        default:
            fputc(*text, svg->out);
        }
    }
}

struct hs_svg *hs_svg_new(double width, double height, const char *title)
{
    struct hs_svg *svg = hs_xcalloc(1, sizeof(*svg));

    svg->out = open_memstream(&svg->text, &svg->n_bytes);
    if (svg->out == NULL) {
        hs_mem_exhausted();
    }
    fprintf(svg->out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
            "viewBox=\"0 0 %.0f %.0f\" role=\"img\" font-family=\"sans-serif\" fill=\"%s\">\n"
            "<title>",
            width, height, width, height, HS_SVG_BLACK);
    put_escaped(svg, title);
    fprintf(svg->out, "</title>\n<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n");
    return svg;
}

void hs_svg_begin(struct hs_svg *svg, const char *id)
{
    fputs("<g id=\"", svg->out);
    put_escaped(svg, id);
    fputs("\">\n", svg->out);
}

void hs_svg_end(struct hs_svg *svg)
{
    fputs("</g>\n", svg->out);
}

void hs_svg_text(struct hs_svg *svg, struct hs_svg_point at, enum hs_svg_anchor anchor, double size,
                 const char *text)
{
    static const char *const anchor_words[] = {
        [HS_SVG_LEFT] = "start", [HS_SVG_MIDDLE] = "middle", [HS_SVG_RIGHT] = "end"};

    fprintf(svg->out, "<text x=\"%.1f\" y=\"%.1f\" font-size=\"%.0f\" text-anchor=\"%s\"%s>", at.x,
            at.y, fabs(size), anchor_words[anchor], size < 0 ? " font-weight=\"bold\"" : "");
    put_escaped(svg, text);
    fputs("</text>\n", svg->out);
}

void hs_svg_line(struct hs_svg *svg, struct hs_svg_point from, struct hs_svg_point to,
                 const char *colour)
{
    fprintf(svg->out, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>\n",
            from.x, from.y, to.x, to.y, colour);
}

void hs_svg_rect(struct hs_svg *svg, struct hs_svg_point from, struct hs_svg_point to,
                 const char *colour)
{
    fprintf(svg->out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>\n",
            fmin(from.x, to.x), fmin(from.y, to.y), fabs(to.x - from.x), fabs(to.y - from.y),
            colour);
}

static void put_points(struct hs_svg *svg, const struct hs_svg_point *points, size_t n_points)
{
    bool is_open = false;

    for (size_t i = 0; i < n_points; i++) {
        if (isnan(points[i].y)) {
            is_open = false;
            continue;
        }
        fprintf(svg->out, "%s%.1f,%.1f", is_open ? " " : "M", points[i].x, points[i].y);
        is_open = true;
    }
}

void hs_svg_path(struct hs_svg *svg, const struct hs_svg_point *points, size_t n_points,
                 const char *colour, double width)
{
    fprintf(svg->out,
            "<path fill=\"none\" stroke=\"%s\" stroke-width=\"%.1f\" "
            "stroke-linejoin=\"round\" d=\"",
            colour, width);
    put_points(svg, points, n_points);
    fputs("\"/>\n", svg->out);
}

void hs_svg_area(struct hs_svg *svg, const struct hs_svg_point *points, size_t n_points,
                 const char *colour, double opacity_ratio)
{
    fprintf(svg->out, "<path fill=\"%s\" fill-opacity=\"%.2f\" d=\"", colour, opacity_ratio);
    put_points(svg, points, n_points);
    fputs("Z\"/>\n", svg->out);
}

char *hs_svg_format(struct hs_svg *svg)
{
    fputs("</svg>\n", svg->out);
    if (fclose(svg->out) != 0) {
        hs_mem_exhausted(); /* only memory can have run out */
    }
    svg->out = NULL;
    return HS_STEAL(svg->text);
}

void hs_svg_free(struct hs_svg *svg)
{
    if (svg == NULL) {
        return;
    }
    if (svg->out != NULL) {
        (void)fclose(svg->out);
    }
    free(svg->text);
    free(svg);
}
