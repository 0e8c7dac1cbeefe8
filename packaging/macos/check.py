#!/usr/bin/env python3
"""packaging/macos/check.py FILE...: is this a program that a Mac from 11.0 on can start?

Reads the Mach-O file itself (mach-o/loader.h, cs_blobs.h), so it runs on any system: a position-independent program for
arm64 or x86-64, for macOS 11.0, that loads nothing but libSystem, CoreFoundation and libiconv. On arm64 the kernel starts
only what is signed: the signature is there, covers the whole file up to itself, and the hash of every page is right.
"""

import hashlib
import struct
import sys

LIBRARIES = {
    "/usr/lib/libSystem.B.dylib",
    "/usr/lib/libiconv.2.dylib",
    "/System/Library/Frameworks/CoreFoundation.framework/Versions/A/CoreFoundation",
}
CPUS = {0x0100000C: "arm64", 0x01000007: "x86_64"}
LC_LOAD_DYLIB, LC_LOAD_WEAK_DYLIB, LC_REEXPORT_DYLIB, LC_LAZY_LOAD = 0xC, 0x80000018, 0x8000001F, 0x20
LC_SEGMENT_64, LC_MAIN, LC_BUILD_VERSION, LC_CODE_SIGNATURE = 0x19, 0x80000028, 0x32, 0x1D


def need(true, what):
    if not true:
        raise ValueError(what)


def commands(data):
    magic, cpu, _, kind, count, size, flags, _ = struct.unpack_from("<8I", data)
    need(magic == 0xFEEDFACF, "not a 64-bit Mach-O file")
    need(cpu in CPUS, f"for another processor: {cpu:#x}")
    need(kind == 2, f"no program: file type {kind}")
    need(flags & 0x200000, "not position-independent")
    at, found = 32, []
    for _ in range(count):
        command, length = struct.unpack_from("<2I", data, at)
        need(length >= 8 and at + length <= 32 + size, "a load command ends outside")
        found.append((command, data[at : at + length]))
        at += length
    need(at == 32 + size, "the load commands have another size than the header says")
    return CPUS[cpu], found


def check_signature(data, offset, size):
    """An ad-hoc signature: a SuperBlob (big-endian) with one CodeDirectory of SHA-256 page hashes."""
    need(offset + size == len(data), "the signature is not at the end of the file")
    magic, _, count = struct.unpack_from(">3I", data, offset)
    need(magic == 0xFADE0CC0, "no signature blob")
    for place in range(count):
        slot, where = struct.unpack_from(">2I", data, offset + 12 + 8 * place)
        if slot != 0:
            continue
        at = offset + where
        magic, _, _, flags, hashes, _, _, slots, limit = struct.unpack_from(">9I", data, at)
        hash_size, hash_type, _, page_bits = struct.unpack_from("4B", data, at + 36)
        need(magic == 0xFADE0C02, "no code directory")
        need(flags & 2, "not ad-hoc signed, and nobody here has a certificate")
        need((hash_type, hash_size) == (2, 32), "no SHA-256")
        need(limit == offset, "the signature does not cover the file up to itself")
        page = 1 << page_bits
        need(slots == -(-limit // page), "there are pages without a hash")
        for number in range(slots):
            of = hashlib.sha256(data[number * page : min((number + 1) * page, limit)]).digest()
            need(of == data[at + hashes + 32 * number : at + hashes + 32 * (number + 1)], f"page {number} has another hash")
        return slots
    raise ValueError("the signature has no code directory")


def check(path):
    with open(path, "rb") as file:
        data = file.read()
    cpu, found = commands(data)
    names, minos, main, signed, end = set(), None, False, None, 0
    for command, body in found:
        if command in (LC_LOAD_DYLIB, LC_LOAD_WEAK_DYLIB, LC_REEXPORT_DYLIB, LC_LAZY_LOAD):
            name = struct.unpack_from("<I", body, 8)[0]
            names.add(body[name:].split(b"\0")[0].decode())
        elif command == LC_BUILD_VERSION:
            platform, version = struct.unpack_from("<2I", body, 8)
            need(platform == 1, f"for another system than macOS: platform {platform}")
            minos = f"{version >> 16}.{version >> 8 & 255}"
        elif command == LC_SEGMENT_64:
            offset, size = struct.unpack_from("<2Q", body, 40)
            end = max(end, offset + size)
        elif command == LC_MAIN:
            main = True
        elif command == LC_CODE_SIGNATURE:
            signed = struct.unpack_from("<2I", body, 8)
    need(main, "it has no entry point")
    need(minos == "11.0", f"for macOS {minos}, not 11.0")
    need(names <= LIBRARIES, f"it loads {sorted(names - LIBRARIES)}")
    need("/usr/lib/libSystem.B.dylib" in names, "it does not load libSystem")
    need(end <= len(data), "a segment ends behind the file")
    if signed:
        said = f"ad-hoc signed, {check_signature(data, *signed)} pages with right hashes"
    else:
        need(cpu != "arm64", "not signed: no arm64 Mac starts it")
        said = "not signed, which x86-64 does not ask for"
    libraries = " ".join(sorted(name.rsplit("/", 1)[1] for name in names))
    print(f"{path}: {cpu}, macOS {minos}, {len(data):,} bytes, {len(found)} load commands, {libraries}; {said}")


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    failed = False
    for path in sys.argv[1:]:
        try:
            check(path)
        except (ValueError, struct.error, OSError) as error:
            print(f"{path}: {error}", file=sys.stderr)
            failed = True
    sys.exit(failed)


main()
