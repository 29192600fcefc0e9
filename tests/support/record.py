# SPDX-License-Identifier: Apache-2.0
"""record - the envelope of stored texts, as adapters/store/record.h describes it."""
import zlib

SCHEMA = 1


def crc(table, key, text, schema=SCHEMA):
    return zlib.crc32("".join(part + "\0" for part in (str(schema), table, key, text)).encode())


def seal(table, key, text, schema=SCHEMA):
    return f"{schema}:{crc(table, key, text, schema):08x}:{text}"


def open_record(table, key, sealed):
    """The text in its envelope; ValueError if it is damaged."""
    schema, digits, text = sealed.split(":", 2)
    if int(digits, 16) != crc(table, key, text, int(schema)):
        raise ValueError(f"{table}/{key} is damaged: {sealed}")
    return text
