#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""embed_text.py IN OUT.c NAME: the text of IN as `const char NAME[]`, for a build to compile."""
import pathlib
import sys

source, target, name = sys.argv[1:]
text = pathlib.Path(source).read_bytes()
rows = [",".join(str(byte) for byte in text[i:i + 20]) for i in range(0, len(text), 20)]
pathlib.Path(target).write_text(f"extern const char {name}[];\nconst char {name}[] = {{\n" + ",\n".join(rows) + ",0};\n")
