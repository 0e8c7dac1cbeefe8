#!/usr/bin/env python3
"""plist_check.py FILE...: launchd job files, checked where there is no plutil, and more strictly than plutil does.

plutil and most parsers take nearly anything; launchd then ignores a misspelt key in silence. So: well-formed XML
with Apple's document type, no key twice, only keys of launchd.plist(5) that this project means, each of its type.
"""

import plistlib
import sys
from xml.parsers import expat

# launchd.plist(5). Only what the project writes or may come to write: anything else is taken for a mistake.
TYPES = {
    "Label": str,
    "Program": str,
    "ProgramArguments": list,
    "EnvironmentVariables": dict,
    "WorkingDirectory": str,
    "StandardInPath": str,
    "StandardOutPath": str,
    "StandardErrorPath": str,
    "StartInterval": int,
    "StartCalendarInterval": (dict, list),
    "RunAtLoad": bool,
    "KeepAlive": (bool, dict),
    "ThrottleInterval": int,
    "ExitTimeOut": int,
    "ProcessType": str,
    "Nice": int,
    "LowPriorityIO": bool,
    "LowPriorityBackgroundIO": bool,
    "Umask": int,
    "AbandonProcessGroup": bool,
    "LimitLoadToSessionType": (str, list),
}
CALENDAR = {"Minute": 59, "Hour": 23, "Day": 31, "Weekday": 7, "Month": 12}
PROCESS_TYPES = ("Background", "Standard", "Adaptive", "Interactive")


def check(raw: bytes) -> list[str]:
    """What is wrong with one file."""
    faults = doctype_faults(raw)
    if faults:
        return faults

    class OnceOnly(dict):
        """A dict that notices a key that is given twice."""

        def __setitem__(self, key, value):
            if key in self:
                faults.append(f"the key {key!r} twice")
            super().__setitem__(key, value)

    try:
        job = plistlib.loads(raw, fmt=plistlib.FMT_XML, dict_type=OnceOnly)
    except Exception as error:  # plistlib raises whatever its parsers do
        return [f"no property list: {error}"]
    if not isinstance(job, dict):
        return ["the root is not a dictionary"]
    for key, value in job.items():
        expected = TYPES.get(key)
        if expected is None:
            faults.append(f"unknown key {key!r}")
        # bool is an int to Python, and not to launchd.
        elif not isinstance(value, expected) or (isinstance(value, bool) and expected is int):
            faults.append(f"{key} is a {type(value).__name__}")
    return faults + meaning_faults(job)


def doctype_faults(raw: bytes) -> list[str]:
    """Faults of the XML around the property list."""
    seen = {}
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = lambda name, system, public, internal: seen.update(name=name, system=system)
    parser.StartElementHandler = lambda name, attributes: seen.setdefault("root", (name, attributes))
    try:
        parser.Parse(raw, True)
    except expat.ExpatError as error:
        return [f"not well-formed: {error}"]
    faults = []
    if seen.get("name") != "plist" or seen.get("system") != "http://www.apple.com/DTDs/PropertyList-1.0.dtd":
        faults.append("without Apple's document type")
    if seen["root"] != ("plist", {"version": "1.0"}):
        faults.append(f'the root is {seen["root"]}, not <plist version="1.0">')
    return faults


def meaning_faults(job: dict) -> list[str]:
    """Values of the right type that mean nothing."""
    faults = []
    if not job.get("Label"):
        faults.append("no Label")
    argv = job.get("ProgramArguments")
    if not isinstance(argv, list) or not argv or not all(isinstance(a, str) and a for a in argv):
        faults.append("ProgramArguments is not a list of texts")
    elif not argv[0].startswith(("/", "@", "{")):  # a path, or the place of one in a template
        faults.append(f"ProgramArguments[0] is not an absolute path: {argv[0]!r}")
    for key in ("StartInterval", "ThrottleInterval", "ExitTimeOut"):
        if isinstance(job.get(key), int) and job[key] <= 0:
            faults.append(f"{key} is {job[key]}")
    if isinstance(job.get("Nice"), int) and not -20 <= job["Nice"] <= 20:
        faults.append(f"Nice is {job['Nice']}")
    if job.get("ProcessType", "Standard") not in PROCESS_TYPES:
        faults.append(f"ProcessType is {job['ProcessType']!r}")
    if not {"StartInterval", "StartCalendarInterval", "RunAtLoad", "KeepAlive"} & set(job):
        faults.append("nothing ever starts it")
    moments = job.get("StartCalendarInterval", [])
    for moment in moments if isinstance(moments, list) else [moments]:
        for key, value in moment.items():
            if key not in CALENDAR or type(value) is not int or not 0 <= value <= CALENDAR[key]:
                faults.append(f"StartCalendarInterval: {key} = {value!r}")
    return faults


def main() -> int:
    """Checks the files that are named."""
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    bad = 0
    for path in sys.argv[1:]:
        with open(path, "rb") as file:
            faults = check(file.read())
        print(f"{path}: {'; '.join(faults) or 'fine'}")
        bad += bool(faults)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
