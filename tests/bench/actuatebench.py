# SPDX-License-Identifier: Apache-2.0
"""actuatebench - what the compute port adds to libvirt's own calls, on a private QEMU host and on the test driver."""
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
import guests  # noqa: E402

N_STEPS = 100
N_LISTS = 10
N_DOMAINS = 5000
XMLNS = "https://hsched.dev/xmlns/1"


def write_domains(path, n):
    """A file of the test driver with @n domains, every other one of them ours."""
    rows = []
    for i in range(1, n + 1):
        tag = f"<metadata><hs:job xmlns:hs='{XMLNS}' id='{i}' class='service' epoch='1'/></metadata>" if i % 2 else ""
        rows.append(f"<domain type='test'><name>hs-{i}</name>{tag}<memory unit='MiB'>128</memory><vcpu>1</vcpu>"
                    "<os><type>hvm</type></os></domain>\n")
    path.write_text("<node>" + "".join(rows) + "</node>\n")


def bench(args):
    binary = pathlib.Path(args.build).resolve() / "tests" / "bench" / "bench_actuate"
    status = 0
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "domains.xml"
        write_domains(path, N_DOMAINS)
        status = subprocess.run([str(binary), "test", f"test://{path}", folder, str(N_LISTS)], check=False).returncode
    if guests.missing():
        print(f"bench: {guests.missing()}: no figures of QEMU", file=sys.stderr)
        return status
    with guests.Hosts(1, pathlib.Path(args.build) / "guest") as hosts:
        work = hosts.dir / "work"
        work.mkdir()
        image = hosts.image
        return max(status, subprocess.run([str(binary), "qemu", hosts.uris[0], str(work), image["kernel"],
                                           image["initrd"], image["cmdline"] + " hsched_idle", str(N_STEPS)],
                                          check=False).returncode)
