"""What npm's script does: it becomes the program, with all that it was given, from wherever it is called."""

import os
import shutil
import subprocess

from support import check, run


def check_launcher(installed, work):
    """installed: a node_modules that has mcp-reap and the package for this machine."""
    copy = work / "launcher/node_modules"
    shutil.copytree(installed, copy, symlinks=True)
    (package,) = (copy / "@mcp-reap").iterdir()
    program, launcher = package / "bin/mcp-reap", copy / ".bin/mcp-reap"

    def plays(script):
        program.unlink(missing_ok=True)
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    plays('printf "<%s>" "$@"; cat; echo err >&2; exit 7')
    words = ["", "two words", "--dry-run", "*", "naïve", "$HOME"]
    expected = (7, "".join(f"<{word}>" for word in words) + "through stdin", "err\n")
    for name, path, folder in places(copy, launcher, work):
        said = run(path, *words, input="through stdin", limit=20, cwd=folder)
        check(f"from {name}, all that it is given reaches the program, and its exit code the caller", said == expected, said)
    plays("echo $$")
    child = subprocess.Popen([launcher], stdout=subprocess.PIPE, text=True)
    said, _ = child.communicate(timeout=20)
    check("it is the program from then on: no process stays between", said == f"{child.pid}\n", said)
    check_elsewhere(package, launcher, work)
    shutil.rmtree(package)
    name = f"@mcp-reap/{package.name}"
    code, out, said = run(launcher, "--dry-run", limit=20)
    told = name in said and "--omit=optional" in said
    check("a package that is missing is named, with the way to get it", code == 2 and not out and told, said)
    check("a hook never ends with 2", run(launcher, "hook", "run", limit=20)[0] == 1)


def places(copy, launcher, work):
    """By what paths a launcher is called: npm's link, the file, a link to the link, a name in this folder."""
    link = work / "a link"
    link.symlink_to(launcher)
    return [("node_modules/.bin", launcher, "/"), ("its own folder", copy / "mcp-reap/bin/mcp-reap.sh", "/"), ("a link", link, "/"),
            ("here", "./mcp-reap", copy / ".bin")]


def check_elsewhere(package, launcher, work):
    """On other machines, as uname(1) says which; the program of this one lies under the other's name."""
    bin_ = work / "uname"
    bin_.mkdir()
    env = {**os.environ, "PATH": f"{bin_}:{os.environ['PATH']}"}
    for system, cpu, there, starts in [
        ("Linux", "aarch64", "linux-arm64", True), ("Linux", "x86_64", "linux-x64", True), ("Darwin", "arm64", "darwin-arm64", True),
        ("Darwin", "arm64", "darwin-x64", True), ("Darwin", "x86_64", "darwin-arm64", False), ("Linux", "x86_64", "linux-arm64", False),
        ("FreeBSD", "amd64", "linux-x64", False), ("Linux", "armv7l", "linux-arm64", False),
    ]:
        (bin_ / "uname").write_text(f"#!/bin/sh\n[ $1 = -s ] && echo {system} || echo {cpu}\n")
        (bin_ / "uname").chmod(0o755)
        package.rename(package.with_name(there))
        code, out, said = run(launcher, env=env, limit=20)
        package.with_name(there).rename(package)
        what = f"{system} on {cpu} with {there}"
        if starts:
            check(f"{what}: starts", code == 0 and out, said)
        elif (system, cpu) in [("FreeBSD", "amd64"), ("Linux", "armv7l")]:
            check(f"{what}: says what there is", code == 2 and "docs/install.md" in said and "darwin-arm64" in said, said)
        else:
            check(f"{what}: says what is missing", code == 2 and "@mcp-reap/" in said and "--omit=optional" in said, said)
