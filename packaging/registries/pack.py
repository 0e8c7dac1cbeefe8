#!/usr/bin/env python3
"""packaging/registries/pack.py [--out FOLDER] ARCHIVE...: npm packages and wheels of a release's archives.

Each mcp-reap-VERSION-TARGET.tar.gz that packaging/build.sh made becomes a package @mcp-reap/OS-CPU and a wheel with the very
same program; the package mcp-reap, which names the others as optional dependencies, is made once.
They go to FOLDER/npm/*.tgz and FOLDER/pypi/*.whl (FOLDER: target/registries). The same archives give the same bytes.
"""

import argparse
import base64
import hashlib
import json
import re
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from datetime import datetime, timezone
from pathlib import Path

HERE = Path(__file__).parent
ABOUT = "Finds MCP servers that nobody uses any more and ends them, never one in use"
HOME = "https://github.com/mcp-reap/mcp-reap"
LICENSE = "MIT OR Apache-2.0"
LICENSE_FILES = ["LICENSE-APACHE", "LICENSE-MIT"]
KEYWORDS = ["mcp", "model-context-protocol", "process", "orphan", "cleanup", "cli"]

# How a program for a kind of processor begins: ELF's e_machine, Mach-O's cputype.
X64, ARM64 = {"elf": 62, "mach": 0x01000007}, {"elf": 183, "mach": 0x0100000C}
# TARGET: npm's os and cpu, the wheel's tags, what its program begins with.
# A static program fits every Linux, whatever its libc: the oldest tags of both families that installers know.
TARGETS = {
    "x86_64-unknown-linux-musl": (
        "linux", "x64", ["manylinux_2_17_x86_64", "manylinux2014_x86_64", "musllinux_1_1_x86_64"], X64),
    "aarch64-unknown-linux-musl": (
        "linux", "arm64", ["manylinux_2_17_aarch64", "manylinux2014_aarch64", "musllinux_1_1_aarch64"], ARM64),
    "x86_64-apple-darwin": ("darwin", "x64", ["macosx_11_0_x86_64"], X64),
    "aarch64-apple-darwin": ("darwin", "arm64", ["macosx_11_0_arm64"], ARM64),
    # For trying out: on the system's libc. PyPI takes no wheel with such a tag.
    "x86_64-unknown-linux-gnu": ("linux", "x64", ["linux_x86_64"], X64),
    "aarch64-unknown-linux-gnu": ("linux", "arm64", ["linux_aarch64"], ARM64),
}
# The four that mcp-reap names, each with its processor and system once.
RELEASED = [target for target in TARGETS if not target.endswith("-gnu")]


def die(message):
    sys.exit(f"packaging/registries/pack.py: {message}")


class Archive:
    """An archive's name, program and licenses."""

    def __init__(self, path):
        named = re.fullmatch(rf"(mcp-reap-(\d+\.\d+\.\d+(?:-[0-9a-z.]+)?)-({'|'.join(TARGETS)}))\.tar\.gz", path.name)
        if not named:
            die(f"not the archive of a release: {path}")
        top, self.version, self.target = named.groups()
        self.os, self.cpu, self.tags, kind = TARGETS[self.target]
        with tarfile.open(path) as tar:
            def read(name):
                try:
                    return tar.extractfile(f"{top}/{name}").read()
                except KeyError:
                    die(f"{path} has no {name}")
            self.program = read("mcp-reap")
            self.time = tar.getmember(f"{top}/mcp-reap").mtime
            self.licenses = {name: read(name) for name in LICENSE_FILES}
        wrong = self.fault(kind)
        if wrong:
            die(f"{path}: the program is {wrong}")

    def fault(self, kind):
        """What is wrong with the program, if it is not one for the target."""
        head = self.program[:64]
        if self.os == "darwin":
            whole = len(head) == 64 and struct.unpack("<II", head[:8]) == (0xFEEDFACF, kind["mach"])
            return None if whole else "not for this kind of Mac"
        if len(head) < 64 or head[:6] != b"\x7fELF\x02\x01" or struct.unpack("<H", head[18:20])[0] != kind["elf"]:
            return "not for this kind of Linux machine"
        # A program header of type 3 (PT_INTERP) names a dynamic loader.
        (start,), (size, count) = struct.unpack("<Q", head[32:40]), struct.unpack("<HH", head[54:58])
        loader = any(self.program[at:at + 4] == b"\x03\0\0\0" for at in range(start, start + size * count, size or 1))
        return "not static" if loader and self.target.endswith("-musl") else None


# --- npm ---

def manifest(name, version, about, **more):
    """A package.json. No scripts in it: nothing runs at an install."""
    return {
        "name": name, "version": version, "description": about, "license": LICENSE, "homepage": f"{HOME}#readme",
        "repository": {"type": "git", "url": f"git+{HOME}.git"}, "bugs": f"{HOME}/issues", **more,
        "publishConfig": {"access": "public"},  # a scope's packages are private without it
    }


def lay_out(folder, package, files):
    """A package as a folder. files: NAME: (bytes, mode)."""
    files = {**files, "package.json": (json.dumps(package, indent=2).encode() + b"\n", 0o644)}
    for name, (content, mode) in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(mode)


def npm_packages(out, archives, work):
    readme = (HERE / "README.md").read_bytes()
    texts = {name: (content, 0o644) for name, content in archives[0].licenses.items()}
    for one in archives:
        name = f"@mcp-reap/{one.os}-{one.cpu}"
        # `preferUnplugged`: Yarn would leave the program inside a zip file, where it cannot be started.
        package = manifest(name, one.version, f"mcp-reap for {one.os} on {one.cpu}", os=[one.os], cpu=[one.cpu],
                           files=["bin", *LICENSE_FILES], preferUnplugged=True)
        text = f"# {name}\n\nThe program of the package mcp-reap ({HOME}) for {one.os} on {one.cpu}.\n"
        lay_out(work / one.target, package,
                {**texts, "README.md": (text.encode(), 0o644), "bin/mcp-reap": (one.program, 0o755)})
    version = archives[0].version
    others = {f"@mcp-reap/{TARGETS[target][0]}-{TARGETS[target][1]}": version for target in RELEASED}
    package = manifest("mcp-reap", version, ABOUT, keywords=KEYWORDS, bin={"mcp-reap": "bin/mcp-reap.sh"},
                       files=["bin", *LICENSE_FILES], os=["linux", "darwin"], optionalDependencies=others)
    launcher = (HERE / "mcp-reap.sh").read_bytes()
    lay_out(work / "mcp-reap", package,
            {**texts, "README.md": (readme, 0o644), "bin/mcp-reap.sh": (launcher, 0o755)})
    done = subprocess.run(["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", out.resolve(), *work.iterdir()],
                          capture_output=True, text=True)
    if done.returncode:
        die(f"npm pack failed:\n{done.stderr}")
    print("".join(f"npm/{name}\n" for name in sorted(done.stdout.split())), end="")


# --- PyPI ---

def python_version(version):
    """SemVer's 0.2.0-rc.1 is 0.2.0rc1 there."""
    match = re.fullmatch(r"([0-9.]+)(?:-(alpha|beta|rc)\.(\d+))?", version)
    if not match:
        die(f"PyPI has no form for the version {version}: write alpha.1, beta.1 or rc.1 behind the dash")
    release, word, number = match.groups()
    return release + ({"alpha": "a", "beta": "b", "rc": "rc"}[word] + number if word else "")


def metadata(version):
    fields = [
        ("Metadata-Version", "2.4"), ("Name", "mcp-reap"), ("Version", version), ("Summary", ABOUT),
        ("Project-URL", f"Source, {HOME}"), ("Project-URL", f"Changelog, {HOME}/blob/main/CHANGELOG.md"),
        ("Keywords", ",".join(KEYWORDS)), ("License-Expression", LICENSE),
        *(("License-File", name) for name in LICENSE_FILES),
        ("Classifier", "Environment :: Console"), ("Classifier", "Operating System :: MacOS"),
        ("Classifier", "Operating System :: POSIX :: Linux"), ("Classifier", "Programming Language :: Rust"),
        ("Classifier", "Topic :: System :: Systems Administration"), ("Requires-Python", ">=3.7"),
        ("Description-Content-Type", "text/markdown"),
    ]
    return "".join(f"{key}: {value}\n" for key, value in fields) + "\n" + (HERE / "README.md").read_text()


def wheel(out, one):
    version = python_version(one.version)
    info, scripts = f"mcp_reap-{version}.dist-info", f"mcp_reap-{version}.data/scripts"
    tags = "".join(f"Tag: py3-none-{tag}\n" for tag in one.tags)
    kind = f"Wheel-Version: 1.0\nGenerator: mcp-reap packaging/registries/pack.py\nRoot-Is-Purelib: false\n{tags}"
    files = {f"{scripts}/mcp-reap": one.program, f"{info}/METADATA": metadata(version).encode(),
             f"{info}/WHEEL": kind.encode()}
    files.update({f"{info}/licenses/{name}": content for name, content in one.licenses.items()})
    record = ""
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record += f"{name},sha256={digest},{len(content)}\n"
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    path = out / f"mcp_reap-{version}-py3-none-{'.'.join(one.tags)}.whl"
    when = datetime.fromtimestamp(max(one.time, 315532800), timezone.utc).timetuple()[:6]  # zip knows nothing before 1980
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, when)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix: the mode above the low half
            entry.external_attr = (0o100755 if name.startswith(scripts) else 0o100644) << 16
            archive.writestr(entry, content)
    print(f"pypi/{path.name}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("target/registries"))
    parser.add_argument("archives", type=Path, nargs="+", metavar="ARCHIVE")
    chosen = parser.parse_args()
    archives = [Archive(path) for path in chosen.archives]
    if len({one.version for one in archives}) > 1:
        die("the archives are of different versions")
    if len({(one.os, one.cpu) for one in archives}) < len(archives):
        die("two archives are for the same kind of machine")
    for name in ["npm", "pypi"]:
        shutil.rmtree(chosen.out / name, ignore_errors=True)
        (chosen.out / name).mkdir(parents=True)
    for one in archives:
        wheel(chosen.out / "pypi", one)
    with tempfile.TemporaryDirectory() as work:
        npm_packages(chosen.out / "npm", archives, Path(work))


if __name__ == "__main__":
    main()
