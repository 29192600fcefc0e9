#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The house rules of docs/architecture.md, checked line by line. Usage: check_rooms.py ROOT

Prints `path:line: [rule] text` for each breach and exits 1 if there is one. `--rules` lists the
rules. Every rule has a folder tests/lint/fixtures/<rule>/ with a tree that breaks it and no
other; test_check_rooms.py runs them, so a rule that stopped biting is found."""
import pathlib
import re
import sys

BASE, MODEL, CORE = "scheduler/base", "scheduler/model", "scheduler/core"
DAEMON, SIM = "scheduler/daemon", "scheduler/sim"

# room -> rooms it may include; itself is implied
MAY_USE = {
    BASE: set(),
    MODEL: {BASE},
    "forecast": {BASE, MODEL},
    "policies": {BASE, MODEL},
    "adapters": {BASE, MODEL},
    CORE: {BASE, MODEL, "forecast", "policies"},
    DAEMON: {BASE, MODEL, CORE, "adapters", "forecast", "policies"},
    SIM: {BASE, MODEL, CORE, "adapters", "forecast", "policies"},
    "ctl": {BASE, MODEL, "policies"},
}
PURE = {MODEL, CORE, "forecast", "policies"}
# The files of base that may touch the system (workers and fanout start threads, wholefile writes
# files), and those that know jansson.
BASE_SYSTEM = re.compile(r"scheduler/base/(clock|log|executor|fanout|wholefile|workers)\w*\.[ch]$")
# zlib computes and touches nothing: one file of base may use it.
BASE_ZLIB = re.compile(r"scheduler/base/packtext\.c$")
BASE_JANSSON = re.compile(r"scheduler/base/(conf|jsonx)\w*\.[ch]$")

OUTSIDE_HEADER = re.compile(
    r"<(event2?[./]|evhttp|hiredis|libvirt/|curl/|modbus|mosquitto|sys/socket|sys/un\.h|netinet/|"
    r"arpa/|netdb|poll\.h|sys/epoll|pthread|signal\.h|archive|libxml/|zlib)")
SYSTEM_CALL = re.compile(
    r"(?<![\w.>])(time|getenv|secure_getenv|clock_gettime|gettimeofday|fopen|open|opendir|read|write|"
    r"socket|connect|system|popen|fork|rand|random|sleep|usleep|nanosleep)\s*\(")
CLOCK_CALL = re.compile(r"(?<![\w.>])(time|clock_gettime|gettimeofday)\s*\(")
JSON_CONSTRUCTOR = re.compile(
    r"\b(json_(object|array|string|stringn|string_nocheck|integer|real|pack\w*|sprintf|loads|loadb|"
    r"load_file|loadf|copy|deep_copy))\s*\(")
REACTOR = re.compile(
    r"(?<![\w.>])(listen|bind|accept4?|sigaction|signal|signalfd|event_base_new\w*|event_base_dispatch|"
    r"event_base_loop|evhttp_new|evsignal_new|pthread_create)\s*\(")
# technology -> (symbols, files that may name them)
TECHNOLOGY = {
    "libvirt": (re.compile(r"\bvir[A-Z]\w+\s*\(|<libvirt/"), re.compile(r"adapters/compute/(compute_)?libvirt\w*\.[ch]$")),
    "hiredis": (re.compile(r"\bredis(Async|Connect|Command|Append|Format|Free)\w*\s*\(|<hiredis/"),
                re.compile(r"adapters/(redis/|\w+/\w+_redis\w*\.[ch]$)")),
    "curl": (re.compile(r"\bcurl_\w+\s*\(|<curl/"), re.compile(r"(ctl/|adapters/\w+/\w+_http\w*\.[ch]$)")),
    "modbus": (re.compile(r"\bmodbus_(new|read|write|connect)\w*\s*\(|<modbus"),
               re.compile(r"adapters/\w+/\w+_modbus\w*\.[ch]$")),
    "mosquitto": (re.compile(r"\bmosquitto_\w+\s*\(|<mosquitto"), re.compile(r"adapters/\w+/\w+_mqtt\w*\.[ch]$")),
}
FILE_WRITE = re.compile(r"""(?<![\w.>])(rename(at2?)?|creat|mkstemp|mkostemp)\s*\(|\bO_(CREAT|TRUNC)\b|\bfopen\s*\([^;]*"[wa]""")
# The writer itself; new files in a new folder; a lock; lines that are appended with their checksums.
FILE_WRITERS = re.compile(r"scheduler/base/wholefile\.c$|adapters/compute/job_files\.c$|"
                          r"scheduler/daemon/(statedir|localintent)\.c$")
HIREDIS_GLUE = re.compile(r"<hiredis/adapters/")
LOG_ABOVE_DEBUG = re.compile(r"\bHS_LOG_(ERROR|WARN|INFO)\s*\(")
GOTO = re.compile(r"^\s*goto\s+\w+\s*;")
ALLOCA = re.compile(r"\b(__builtin_)?alloca\s*\(")
VLA = re.compile(
    r"^\s+(?:const\s+|unsigned\s+)*(?:struct\s+\w+|enum\s+\w+|[a-z_]\w*)\s+\*?\w+\[([^\]]*)\](?:\[[^\]]*\])*\s*;")
TYPEDEF = re.compile(r"\btypedef\s+(struct|enum|union)\b|\btypedef\s+\w[\w\s]*\*\s*\w+\s*;")
POWER_W = re.compile(r"(?<![\w])power_w\b")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX)\b(?!\(#\d+\))")
# A word that changes a key, as an argument of its own; in the functions of hsched.lua they belong.
REDIS_WRITE = re.compile(r'"(HSET|HSETNX|HMSET|HDEL|HINCRBY|SET|SETEX|GETSET|APPEND|INCR|DEL|UNLINK|RENAME|XADD|XDEL|XTRIM|LPUSH|'
                         r'RPUSH|SADD|SREM|ZADD|ZREM|EXPIRE|PEXPIRE|PERSIST|MULTI|EVAL|EVALSHA|FLUSHDB|FLUSHALL|RESTORE|COPY)"')
REDIS_SEND = re.compile(r"\bhs_redis_link_send\s*\(")
REDIS_SENDERS = re.compile(r"adapters/(redis/redis_link\.[ch]$|store/store_redis\w*\.c$|plant/plant_redis\w*\.c$)")
DECLARATION = re.compile(r"^(?:__attribute__\(\(.*?\)\)\s*)?(?:extern\s+)?(?:const\s+)?(?:struct\s+\w+|enum\s+\w+|\w+)"
                         r"(?:\s+const)?[\s*]+(\w+)\s*\(")
# Headers whose names are words of the language of the tree rather than verbs of one struct.
FREE_NAMES = {"units.h": re.compile(r"hs_"), "mem.h": re.compile(r"hs_(x|mem_)"), "near.h": re.compile(r"assert_near")}

RULES = {
    "room": "a room includes only the rooms it may use; sim and daemon never each other",
    "root-include": "include from the repository root",
    "entrance": "scheduler/core is entered by cycle.h alone",
    "pure-header": "pure rooms include nothing of the outside world",
    "pure-call": "pure rooms ask nothing of the system: no time(), getenv() or files",
    "base-system": "base touches the system in clock, log, executor, fanout, wholefile and workers only",
    "base-jansson": "base knows jansson in conf and jsonx only",
    "json-constructor": "JSON values are made by scheduler/base/jsonx.c only",
    "technology": "a technology is named in adapters/<port>/<port>_<technology>.c only",
    "write-path": "state is written through hs_store_commit() alone: Redis is changed by adapters/store/hsched.lua, and nobody "
                  "but store and plant speaks to it",
    "whole-file": "files are replaced by scheduler/base/wholefile.h alone, so that they are old or new, never a mixture",
    "hiredis-glue": "hiredis' libevent glue is included by exactly one .c of adapters/redis",
    "reactor": "listening sockets, signals, threads and the reactor live in scheduler/daemon",
    "clock": "time comes from struct hs_clock: no time() outside base",
    "log": "only the daemon, the simulator's main and the CLI log above debug",
    "basename": "basenames are unique in the whole tree",
    "prefix": "an exported symbol is hs_<basename>_<verb>",
    "goto": "no goto",
    "alloca": "no alloca",
    "vla": "no variable length array",
    "typedef": "typedef function types only",
    "power-w": "bare power_w does not say whether heat or electricity",
    "unfinished": "no TODO without an issue number: TODO(#12)",
    "licence": "the first lines name the licence",
}


def room_of(path):
    return max((r for r in MAY_USE if path.startswith(r + "/")), key=len, default=None)


def code_of(text):
    """@text with comments and string contents blanked, line numbers kept; quoted includes stay."""
    def blank(match):
        token = match[0]
        if token.startswith(("//", "/*")):
            return re.sub(r"[^\n]", " ", token)
        return token[0] + " " * (len(token) - 2) + token[-1]
    lines = []
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
    blanked = pattern.sub(blank, text)
    for original, line in zip(text.split("\n"), blanked.split("\n")):
        lines.append(original if re.match(r"\s*#\s*include", original) else line)
    return lines


class Checker:
    """Walks one tree and collects breaches."""

    def __init__(self, root):
        self.root = root
        self.breaches = []
        self.home_of = {}    # stem -> folder, to find names used twice
        self.glue = []       # where hiredis' libevent glue is included

    def breach(self, rel, number, rule, text):
        self.breaches.append(f"{rel}:{number}: [{rule}] {text}")

    def check_include(self, rel, room, number, line):
        hit = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if not hit:
            return
        other = room_of(hit[1])
        if other is None:
            if not hit[1].startswith("tests/"):
                self.breach(rel, number, "root-include", f'include from the repository root, not "{hit[1]}"')
        elif room and other != room and other not in MAY_USE[room]:
            self.breach(rel, number, "room", f"{room} may not use {other}")
        elif room and room != CORE and other == CORE and hit[1] != "scheduler/core/cycle.h":
            self.breach(rel, number, "entrance", f"enter core by cycle.h, not by {hit[1]}")

    def check_outside(self, rel, room, number, line):
        include = re.match(r"\s*#\s*include\s+<", line)
        if room in PURE or (room == BASE and not BASE_SYSTEM.search(rel)):
            if include and OUTSIDE_HEADER.search(line) and not ("<zlib" in line and BASE_ZLIB.search(rel)):
                rule = "base-system" if room == BASE else "pure-header"
                self.breach(rel, number, rule, RULES[rule])
            hit = SYSTEM_CALL.search(line)
            if hit:
                rule = "base-system" if room == BASE else "pure-call"
                self.breach(rel, number, rule, f"{hit[1]}(): {RULES[rule]}")
        elif not BASE_SYSTEM.search(rel) and (hit := CLOCK_CALL.search(line)):
            self.breach(rel, number, "clock", f"{hit[1]}(): {RULES['clock']}")
        if room == BASE and "<jansson.h>" in line and not BASE_JANSSON.search(rel):
            self.breach(rel, number, "base-jansson", RULES["base-jansson"])
        # a pure room that names a technology has broken the stronger rule already
        if room not in PURE and room != BASE:
            for technology, (symbol, allowed) in TECHNOLOGY.items():
                if symbol.search(line) and not allowed.search(rel):
                    self.breach(rel, number, "technology", f"{technology} is named in its adapter only")
        if HIREDIS_GLUE.search(line):
            self.glue.append((rel, number))
        hit = REACTOR.search(line)
        if hit and room != DAEMON and not BASE_SYSTEM.search(rel) and "SIG_DFL" not in line:
            self.breach(rel, number, "reactor", f"{hit[1]}(): {RULES['reactor']}")

    def check_line(self, rel, number, line):
        hit = JSON_CONSTRUCTOR.search(line)
        reads = hit and hit[1].startswith("json_load") and BASE_JANSSON.search(rel)
        if hit and not reads and rel != "scheduler/base/jsonx.c":
            self.breach(rel, number, "json-constructor", f"{hit[1]}(): use scheduler/base/jsonx.h")
        size = VLA.match(line)
        if size and re.search(r"\b[a-z]", size[1]) and "sizeof" not in size[1] and " return " not in line:
            self.breach(rel, number, "vla", RULES["vla"])
        for rule, pattern in (("goto", GOTO), ("alloca", ALLOCA), ("typedef", TYPEDEF), ("power-w", POWER_W)):
            if pattern.search(line) and not (rule == "power-w" and rel == "scheduler/base/units.h"):
                self.breach(rel, number, rule, RULES[rule])

    def check_prefix(self, file, rel, lines):
        want = "hs_" + re.sub(r"_priv$", "", file.stem) + "_"
        for number, line in enumerate(lines, 1):
            hit = DECLARATION.match(line)
            if not hit or line.startswith(("static", "return", "typedef", "#", "else")):
                continue
            free = FREE_NAMES.get(file.name)
            if not (free.match(hit[1]) if free else hit[1].startswith(want)) and not hit[1].isupper() \
                    and not hit[1].startswith("HS_") and hit[1] != "__attribute__":
                self.breach(rel, number, "prefix", f"'{hit[1]}' is declared here: call it {want}…")

    def check_basename(self, file, rel):
        stem, folder = file.stem.removesuffix("_priv"), file.parent
        home = self.home_of.setdefault(stem, folder)
        if home != folder:
            self.breach(rel, 1, "basename", f"'{stem}' already lives in {home.relative_to(self.root)}")

    def check_file(self, file):
        rel = file.relative_to(self.root).as_posix()
        room = room_of(rel)
        text = file.read_text()
        self.check_basename(file, rel)
        if "SPDX-License-Identifier: Apache-2.0" not in text[:200]:
            self.breach(rel, 1, "licence", RULES["licence"])
        for number, line in enumerate(text.split("\n"), 1):
            if room and (REDIS_WRITE.search(line) or REDIS_SEND.search(line) and not REDIS_SENDERS.search(rel)):
                self.breach(rel, number, "write-path", RULES["write-path"])
            if room and FILE_WRITE.search(line) and not FILE_WRITERS.search(rel):
                self.breach(rel, number, "whole-file", RULES["whole-file"])
            if UNFINISHED.search(line):
                self.breach(rel, number, "unfinished", RULES["unfinished"])
        lines = code_of(text)
        for number, line in enumerate(lines, 1):
            self.check_include(rel, room, number, line)
            self.check_line(rel, number, line)
            if room:
                self.check_outside(rel, room, number, line)
                if room not in (BASE, DAEMON, SIM, "ctl") and LOG_ABOVE_DEBUG.search(line):
                    self.breach(rel, number, "log", RULES["log"])
        if room and file.suffix == ".h":
            self.check_prefix(file, rel, lines)

    def run(self):
        for file in sorted(self.root.glob("**/*.[ch]")):
            parts = file.relative_to(self.root).parts
            if parts[0] in [*{r.split("/")[0] for r in MAY_USE}, "tests"] and "fixtures" not in parts:
                self.check_file(file)
        for rel, number in self.glue:
            if not rel.startswith("adapters/redis/") or not rel.endswith(".c") or len(self.glue) > 1:
                self.breach(rel, number, "hiredis-glue", RULES["hiredis-glue"])
        return self.breaches


def main(argv):
    if argv == ["--rules"]:
        print("\n".join(RULES))
        return 0
    if len(argv) != 1:
        print("usage: check_rooms.py ROOT | --rules", file=sys.stderr)
        return 2
    breaches = Checker(pathlib.Path(argv[0]).resolve()).run()
    print("\n".join(breaches) or "rooms ok")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
