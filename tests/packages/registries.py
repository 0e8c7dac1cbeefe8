#!/usr/bin/env python3
"""tests/packages/registries.py ARCHIVE: the npm packages and wheels that packaging/registries/pack.py makes of a release's
archive (one for this machine, as packaging/build.sh makes it) are looked at, installed and used.

pip and npm install from the files; npx and uvx run them from a registry on this machine's loopback, in a home of their own.
The archives for other machines have programs of a few bytes, or those of packaging/macos/link.sh where it has run.
"""

import base64
import csv
import hashlib
import io
import json
import os
import re
import shutil
import struct
import sys
import tarfile
import tempfile
import time
import zipfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent))

from launcher import check_launcher  # noqa: E402
from registry import Registry  # noqa: E402
from support import check, closing, run  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
PACK = ROOT / "packaging/registries/pack.py"
VERSION = re.search(r'^version = "(.*)"$', (ROOT / "Cargo.toml").read_text(), re.M)[1]
NPM = {"linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"}
WHEELS = {
    "x86_64-unknown-linux-musl": "manylinux_2_17_x86_64.manylinux2014_x86_64.musllinux_1_1_x86_64",
    "aarch64-unknown-linux-musl": "manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64",
    "x86_64-apple-darwin": "macosx_11_0_x86_64",
    "aarch64-apple-darwin": "macosx_11_0_arm64",
}
# What uv calls a platform, and the part of a wheel's name that fits it.
FITTING = {
    "x86_64-unknown-linux-musl": "musllinux_1_1_x86_64",
    "x86_64-manylinux2014": "manylinux2014_x86_64",
    "aarch64-unknown-linux-gnu": "manylinux_2_17_aarch64",
    "aarch64-unknown-linux-musl": "musllinux_1_1_aarch64",
    "x86_64-apple-darwin": "macosx_11_0_x86_64",
    "aarch64-apple-darwin": "macosx_11_0_arm64",
}


# --- archives for machines that this is not ---

def elf(machine, loader=False):
    """The beginning of a program for Linux, with one program header if it wants a loader."""
    head = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 3, machine, 1, 0, 64, 0, 0, 64, 56, loader, 0, 0, 0)
    return head + (struct.pack("<II", 3, 4) + bytes(48) if loader else b"")


def mach(cputype):
    return struct.pack("<II", 0xFEEDFACF, cputype) + bytes(64)


PROGRAMS = {
    "x86_64-unknown-linux-musl": elf(62),
    "aarch64-unknown-linux-musl": elf(183),
    "x86_64-apple-darwin": mach(0x01000007),
    "aarch64-apple-darwin": mach(0x0100000C),
}


def archive(folder, target, program, version=VERSION):
    """An archive as packaging/build.sh lays it out."""
    name = f"mcp-reap-{version}-{target}"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for file, content in [("mcp-reap", program), ("LICENSE-MIT", b"MIT"), ("LICENSE-APACHE", b"Apache")]:
            entry = tarfile.TarInfo(f"{name}/{file}")
            entry.size, entry.mtime = len(content), 1763636400
            tar.addfile(entry, io.BytesIO(content))
    return path


def of_other_machines(folder, but):
    """Archives of the released targets, but of one kind of machine."""
    for target, program in PROGRAMS.items():
        linked = ROOT / f"target/macos/bin/{target}/mcp-reap"
        if kind(target) != but:
            yield archive(folder, target, linked.read_bytes() if linked.exists() else program)


def kind(target):
    cpu, _, system = target.split("-")[:3]
    return ("darwin" if system == "darwin" else "linux") + ("-x64" if cpu == "x86_64" else "-arm64")


# --- what is in the packages ---

def check_refusals(work):
    musl, gnu, mac = "x86_64-unknown-linux-musl", "x86_64-unknown-linux-gnu", "aarch64-apple-darwin"
    good = PROGRAMS[musl]
    for what, words, archives in [
        ("another kind of processor", "not for this kind of Linux machine", [(musl, elf(183))]),
        ("a loader in a program that is called static", "not static", [(musl, elf(62, loader=True))]),
        ("another kind of Mac", "not for this kind of Mac", [(mac, PROGRAMS["x86_64-apple-darwin"])]),
        ("two versions", "different versions", [(musl, good), (mac, PROGRAMS[mac], "9.9.9")]),
        ("a machine twice", "same kind of machine", [(musl, good), (gnu, good)]),
        ("another name", "not the archive of a release", [("sparc64-unknown-linux-gnu", good)]),
    ]:
        made = [archive(work / what, *one) for one in archives]
        code, _, said = run(PACK, "--out", work / "none", *made)
        check(f"refused: {what}", code == 1 and words in said and not (work / "none").exists(), said)


def check_npm(folder):
    packages = {}
    for path in folder.glob("npm/*.tgz"):
        with tarfile.open(path) as tar:
            package = json.load(tar.extractfile("package/package.json"))
            modes = {entry.name.removeprefix("package/"): entry.mode for entry in tar}
        packages[package["name"]] = package
        program = "bin/mcp-reap.sh" if package["name"] == "mcp-reap" else "bin/mcp-reap"
        expected = {program: 0o755, **dict.fromkeys(["package.json", "README.md", "LICENSE-MIT", "LICENSE-APACHE"], 0o644)}
        check(f"{path.name} has these files", modes == expected, modes)
        check(f"{path.name} runs nothing at an install", not package.get("scripts"))
        check(f"{path.name} has this version", package["version"] == VERSION)
        # npm's provenance wants the repository that the workflow runs in.
        check(f"{path.name} names its repository", package["repository"]["url"] == "git+https://github.com/mcp-reap/mcp-reap.git")
    check("npm's packages", set(packages) == {"mcp-reap", *(f"@mcp-reap/{one}" for one in NPM)}, set(packages))
    wants = packages["mcp-reap"]["optionalDependencies"]
    check("mcp-reap wants the others in its own version", wants == {f"@mcp-reap/{one}": VERSION for one in NPM}, wants)
    for one in NPM:
        package = packages[f"@mcp-reap/{one}"]
        check(f"{one} goes to its own machines", package["os"] + package["cpu"] == one.split("-"))


def check_wheels(folder, archives):
    programs = {}
    for path in archives:
        name = path.name.removesuffix(".tar.gz")
        with tarfile.open(path) as tar:
            programs[WHEELS[name.removeprefix(f"mcp-reap-{VERSION}-")]] = tar.extractfile(f"{name}/mcp-reap").read()
    found = {path.name.removeprefix(f"mcp_reap-{VERSION}-py3-none-").removesuffix(".whl"): path for path in folder.glob("pypi/*")}
    check("the wheels", set(found) == set(programs), set(found))
    for tags, path in found.items():
        with zipfile.ZipFile(path) as wheel:
            files = {entry.filename: (wheel.read(entry), entry.external_attr >> 16) for entry in wheel.infolist()}
        info, script = f"mcp_reap-{VERSION}.dist-info", f"mcp_reap-{VERSION}.data/scripts/mcp-reap"
        check(f"{tags}: the program of the archive, executable", files[script] == (programs[tags], 0o100755))
        record = {name: (digest, size) for name, digest, size in csv.reader(files[f"{info}/RECORD"][0].decode().splitlines())}
        check(f"{tags}: RECORD names itself without a sum", record.pop(f"{info}/RECORD") == ("", ""))
        sums = {name: (sum_of(content), str(len(content))) for name, (content, _) in files.items() if name != f"{info}/RECORD"}
        check(f"{tags}: RECORD has the sums of all files", record == sums, record)
        said = re.findall(r"^Tag: py3-none-(.*)$", files[f"{info}/WHEEL"][0].decode(), re.M)
        check(f"{tags}: WHEEL has the tags of the name", said == tags.split("."), said)
        check(f"{tags}: METADATA has the version", f"\nVersion: {VERSION}\n" in files[f"{info}/METADATA"][0].decode())


def sum_of(content):
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def of_folder(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*/*")}


# --- installed and used ---

def runs(what, program, env):
    said = run(*program, "--version", env=env)
    check(f"{what}: runs", said[:2] == (0, f"mcp-reap {VERSION}\n"), said)
    code, out, said = run(*program, "--dry-run", "--json", env=env)
    check(f"{what}: looks", code == 0 and json.loads(out)["version"] == VERSION, said)


def check_files(folder, target, work, env):
    """pip and npm, without any network: the files are all there is."""
    # On the system's libc it has a tag that PyPI does not take.
    tags = WHEELS.get(target, f"linux_{target.split('-')[0]}")
    (wheel,) = folder.glob(f"pypi/*-none-{tags}.whl")
    run(sys.executable, "-m", "venv", work / "venv")
    code, _, said = run(work / "venv/bin/pip", "install", "--no-index", "--disable-pip-version-check", wheel, env=env)
    check("pip installs the wheel", code == 0, said)
    runs("pip", [work / "venv/bin/mcp-reap"], env)
    check("pip removes it", run(work / "venv/bin/pip", "uninstall", "--yes", "mcp-reap", env=env)[0] == 0)
    check("wholly", not list((work / "venv").rglob("mcp?reap*")))
    project = work / "project"
    project.mkdir()
    (project / "package.json").write_text("{}")
    (platform,) = folder.glob(f"npm/mcp-reap-{this_machine()}-*.tgz")
    (main,) = folder.glob(f"npm/mcp-reap-{VERSION}.tgz")
    code, _, said = run("npm", "install", "--offline", "--no-audit", "--no-fund", main, platform, cwd=project, env=env)
    check("npm installs the files", code == 0, said)
    runs("npm", [project / "node_modules/.bin/mcp-reap"], env)
    check_launcher(project / "node_modules", work)


def this_machine():
    system, machine = os.uname().sysname.lower(), os.uname().machine
    return f"{system}-{'x64' if machine == 'x86_64' else 'arm64'}"


def timed(what, command, env):
    """A dry run, twice: its first is from an empty cache."""
    for run_of in ["first", "second"]:
        started = time.monotonic()
        code, out, said = run(*command, "--dry-run", env=env)
        print(f"{what}, {run_of} run: {time.monotonic() - started:.2f} s")
        check(f"{what}, {run_of} run", code == 0, out, said)


def check_runner(what, command, way, env):
    """From a runner's cache nothing that stays can be installed."""
    timed(what, command, env)
    for install in ["schedule", "hook"]:
        code, _, said = run(*command, install, "install", env=env)
        told = f"in the cache of {what}" in said and f"`{way}`" in said
        check(f"{what}: {install} install says how to install for good", code == 2 and told, said)
    code, out, said = run(*command, "exec", "--", "echo", "a server", env=env)
    told = f"{what} stays above the server" in said and f"`{way}`" in said
    check(f"{what}: exec becomes the server, and says what it lacks", (code, out) == (0, "a server\n") and told, said)


def check_npx(registry, home, env):
    env = {**env, "npm_config_registry": registry.url, "npm_config_update_notifier": "false"}
    check_runner("npx", ["npx", "--yes", "mcp-reap"], "npm install --global mcp-reap", env)
    loaded = {path.removeprefix("files/") for path in registry.asked if path.startswith("files/")}
    check("npx loads two packages, and no other machine's", loaded ==
          {f"mcp-reap-{VERSION}.tgz", f"mcp-reap-{this_machine()}-{VERSION}.tgz"}, loaded)
    code, _, said = run("npm", "install", "--global", "--prefix", home / "global", "mcp-reap", env=env)
    check("npm installs it for good", code == 0, said)
    installed = home / "global/bin/mcp-reap"
    runs("npm --global", [installed], env)
    check("there hooks can be installed", (said := run(installed, "hook", "install", env=env))[0] == 0, said)
    check("and removed", run(installed, "hook", "uninstall", env=env)[0] == 0)
    if int(run("npm", "--version")[1].split(".")[0]) < 11:
        print("NOT TESTED: what npm takes on other machines, which an older npm cannot be asked", file=sys.stderr)
        return
    for machine in sorted(NPM - {this_machine()}):
        system, cpu = machine.split("-")
        other = home / machine
        other.mkdir()
        code, _, said = run("npm", "install", "--prefix", other, f"--os={system}", f"--cpu={cpu}", "mcp-reap", env=env)
        there = [path.name for path in other.glob("node_modules/@mcp-reap/*")]
        check(f"npm on {machine} takes that package", code == 0 and there == [machine], there, said)


def check_uvx(registry, home, env):
    uv = Path(os.environ["MCP_REAP_TEST_UV"])
    env = {**env, "UV_DEFAULT_INDEX": f"{registry.url}/simple/", "UV_PYTHON_DOWNLOADS": "never"}
    check_runner("uvx", [uv / "uvx", "mcp-reap"], "uv tool install mcp-reap", env)
    code, _, said = run(uv / "uv", "tool", "install", "mcp-reap", env=env)
    check("uv installs it for good", code == 0, said)
    installed = home / ".local/bin/mcp-reap"
    runs("uv tool install", [installed], env)
    check("there hooks can be installed", (said := run(installed, "hook", "install", env=env))[0] == 0, said)
    check("and removed", run(installed, "hook", "uninstall", env=env)[0] == 0)


def check_platforms(folder, work, env):
    uv = Path(os.environ["MCP_REAP_TEST_UV"]) / "uv"
    for platform, tag in FITTING.items():
        command = [uv, "pip", "install", "--no-index", "--find-links", folder / "pypi", "--python-platform", platform]
        code, _, said = run(*command, "--target", work / platform, "mcp-reap", env=env)
        took = [path.read_text() for path in (work / platform).glob("*.dist-info/WHEEL")]
        check(f"an installer on {platform} takes {tag}", code == 0 and len(took) == 1 and f"-{tag}\n" in took[0], took, said)


def main():
    given = Path(sys.argv[1]).resolve()
    target = given.name.removeprefix(f"mcp-reap-{VERSION}-").removesuffix(".tar.gz")
    here = Path.home() if str(ROOT).startswith(("/tmp/", "/var/", "/private/")) else ROOT / "target"
    # Not below a temporary folder, where nothing stays: hooks are installed in that home.
    with tempfile.TemporaryDirectory(prefix="mcp-reap-test-", dir=here) as folder:
        work = Path(folder)
        home, released, mixed = work / "home", work / "released", work / "mixed"
        home.mkdir()
        env = {"HOME": str(home), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "LANG": "C.UTF-8"}
        check_refusals(work / "refused")
        # What a release makes, of programs that are none.
        all_four = list(of_other_machines(work / "four", but=None))
        for again in [released, work / "again"]:
            code, _, said = run(PACK, "--out", again, *all_four)
            check("pack.py packs", code == 0, said)
        check("the same archives give the same bytes", of_folder(released) == of_folder(work / "again"))
        check_npm(released)
        check_wheels(released, all_four)
        # The program of this machine among those of the others.
        code, _, said = run(PACK, "--out", mixed, given, *of_other_machines(work / "others", but=kind(target)))
        check("pack.py packs this machine's", code == 0, said)
        check_npm(mixed)
        check_files(mixed, target, work, {**env, "HOME": str(work)})
        registry = Registry(mixed)
        check_npx(registry, home, env)
        if "MCP_REAP_TEST_UV" in os.environ:
            check_platforms(released, work / "platforms", env)
            check_uvx(registry, home, env)
        else:
            print("NOT TESTED: uvx, without uv", file=sys.stderr)
        for path in sorted(mixed.glob("*/*")):
            print(f"{path.stat().st_size:>9} {path.name}")
    return closing()


if __name__ == "__main__":
    sys.exit(main())
