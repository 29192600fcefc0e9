#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Renders text on stdin as a terminal picture (SVG) on stdout: `./dev demo | picture.py`."""
import html
import sys

LINE_PX, CHAR_PX, MARGIN_PX = 17, 7.25, 16


def render(text):
    lines = text.rstrip("\n").split("\n")
    width = int(max(map(len, lines)) * CHAR_PX) + 2 * MARGIN_PX
    height = len(lines) * LINE_PX + 2 * MARGIN_PX
    rows = "\n".join(
        f'<text x="{MARGIN_PX}" y="{MARGIN_PX + (i + 0.75) * LINE_PX:.0f}" xml:space="preserve">{html.escape(line)}</text>'
        for i, line in enumerate(lines) if line)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="img">\n'
            '<style>text{font:12px ui-monospace,Menlo,Consolas,monospace;fill:#e6e1d6}</style>\n'
            f'<rect width="{width}" height="{height}" rx="8" fill="#1d2021"/>\n{rows}\n</svg>\n')


if __name__ == "__main__":
    sys.stdout.write(render(sys.stdin.read()))
