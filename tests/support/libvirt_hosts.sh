#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# libvirt_hosts.sh start DIR N - N private libvirt daemons, each a host of its own; prints one
#                                libvirt URI a line. Adds to what already runs in DIR.
# libvirt_hosts.sh again DIR/hN - starts the daemon of that host again, after it was killed
# libvirt_hosts.sh stop DIR    - ends them and every guest of theirs, and removes their folders
#
# HSCHED_HOSTS_QEMU_CONF holds further lines for their qemu.conf.
#
# Runs as an ordinary user; as root it drops to HSCHED_HOSTS_USER (nobody), or libvirtd would be
# the system's. DIR must be short: a socket's path holds 107 bytes.
set -euo pipefail

die() {
    echo "libvirt_hosts: $*" >&2
    exit 1
}

usage="usage: libvirt_hosts.sh start DIR N | again DIR/hN | stop DIR"

as_user() {
    if [ "$(id -u)" -eq 0 ]; then
        local user=${HSCHED_HOSTS_USER:-nobody}
        setpriv --reuid="$(id -u "$user")" --regid="$(id -g "$user")" --clear-groups -- "$@"
    else
        "$@"
    fi
}

# in_host HOST_DIR COMMAND...: with folders of its own for everything libvirt keeps
in_host() {
    local host=$1
    shift
    as_user env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME="$host" XDG_RUNTIME_DIR="$host/run" \
        XDG_CONFIG_HOME="$host/config" XDG_CACHE_HOME="$host/cache" XDG_DATA_HOME="$host/data" "$@"
}

uri_of() { echo "qemu+unix:///session?socket=$1/run/libvirt/libvirt-sock"; }

# is_ours PID HOST_DIR: a pid from a file may have been given to somebody else since
is_ours() {
    [ -r "/proc/$1/environ" ] && tr '\0' '\n' <"/proc/$1/environ" | grep -qx "HOME=$2"
}

make_one() {
    local host=$1
    local socket=$host/run/libvirt/libvirt-sock
    [ ${#socket} -lt 108 ] || die "'$socket' is too long for a socket"
    mkdir -p "$host"/{run,config/libvirt,cache,data}
    chmod 0700 "$host/run"
    {
        echo "host_uuid = \"$(cat /proc/sys/kernel/random/uuid)\""
        echo 'auth_unix_rw = "none"'
    } >"$host/config/libvirt/libvirtd.conf"
    # guests write their consoles themselves: one helper daemon less per host
    echo 'stdio_handler = "file"' >"$host/config/libvirt/qemu.conf"
    printf '%s' "${HSCHED_HOSTS_QEMU_CONF:-}" >>"$host/config/libvirt/qemu.conf"
    [ "$(id -u)" -ne 0 ] || chown -R "${HSCHED_HOSTS_USER:-nobody}:" "$host"
}

launch_one() {
    local host=$1 waited=0
    local socket=$host/run/libvirt/libvirt-sock
    in_host "$host" setsid libvirtd >"$host.log" 2>&1 </dev/null &
    until [ -S "$socket" ] && in_host "$host" virsh -q -c "$(uri_of "$host")" uri >/dev/null 2>&1; do
        waited=$((waited + 1))
        [ "$waited" -lt 200 ] || die "libvirtd does not answer: $(tail -n 3 "$host.log")"
        sleep 0.1
    done
    cp "$host/run/libvirt/libvirtd.pid" "$host.pid"
    uri_of "$host"
}

start() {
    local dir=$1 count=$2 i n=1
    command -v libvirtd >/dev/null || die "libvirtd is not installed"
    mkdir -p "$dir"
    dir=$(cd "$dir" && pwd)
    for ((i = 0; i < count; i++)); do
        while [ -e "$dir/h$n" ]; do n=$((n + 1)); done
        make_one "$dir/h$n"
        launch_one "$dir/h$n"
    done
}

# end PID SIGNAL..: each signal in turn until the process is gone
end() {
    local pid=$1 name=$2 host=$3 i
    is_ours "$pid" "$host" || return 0
    kill -CONT "$pid" 2>/dev/null || true
    kill "$pid" 2>/dev/null || true
    for ((i = 0; i < 50; i++)); do
        kill -0 "$pid" 2>/dev/null || return 0
        sleep 0.1
    done
    echo "libvirt_hosts: $name $pid does not end, killed" >&2
    kill -KILL "$pid" 2>/dev/null || true
}

stop() {
    local dir host file
    [ -d "$1" ] || return 0
    dir=$(cd "$1" && pwd)
    for host in "$dir"/h*/; do
        [ -d "$host" ] || continue
        host=${host%/}
        # the daemon first, or it would see its guests vanish
        [ ! -f "$host.pid" ] || end "$(cat "$host.pid")" libvirtd "$host"
        for file in "$host"/run/libvirt/qemu/run/*.pid; do
            [ ! -f "$file" ] || end "$(cat "$file")" guest "$host"
        done
        rm -rf "$host" "$host.pid" "$host.log"
    done
}

case ${1:-} in
    start)
        [ $# -eq 3 ] || die "$usage"
        start "$2" "$3"
        ;;
    again)
        [ $# -eq 2 ] || die "$usage"
        [ -d "$2/run" ] || die "'$2' was never started"
        launch_one "$(cd "$2" && pwd)" >/dev/null
        ;;
    stop)
        [ $# -eq 2 ] || die "$usage"
        stop "$2"
        ;;
    *) die "$usage" ;;
esac
