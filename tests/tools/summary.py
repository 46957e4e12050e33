#!/usr/bin/python3
"""Sums up a test run.

summary.py DIRECTORY      DIRECTORY holds JUnit files of ctest and pytest (*.xml), the output of steps that failed
                          (*.failed), and the names of steps that passed (passed_steps). Prints every failure,
                          every skip with its reason, and, as the last line, "N passed, N failed, N skipped".
                          Exit status 0 if something passed and nothing failed.
summary.py --count FILE   one JUnit file as "N passed, N failed, N skipped"
"""

import os
import re
import sys
import xml.etree.ElementTree as ElementTree

OUTPUT_LINES = 60  # of each failure that are printed


class Result:
    """One test: what happened ("passed", "failed", "skipped") and, unless it passed, why."""

    def __init__(self, name, outcome, text=""):
        self.name, self.outcome, self.text = name, outcome, text


def cmocka_cases(name, output):
    """A unit test program of ctest counts as the cmocka tests that it reports."""
    results = []
    for line in output.splitlines():
        match = re.match(r"\[ *(OK|FAILED|SKIPPED) *\] (\w+)$", line.strip())
        if match and line.startswith("[ "):
            outcome = {"OK": "passed", "FAILED": "failed", "SKIPPED": "skipped"}[match[1]]
            if not any(r.name == f"{name}: {match[2]}" for r in results):
                results.append(Result(f"{name}: {match[2]}", outcome))
    for result in results:
        if result.outcome != "passed":
            result.text = output
        if result.outcome == "skipped":
            result.text = skip_reason(output, "skip() without a reason")
    return results


def skip_reason(output, default):
    """What a test printed about its skipping, else its last line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    for line in lines:
        if re.match(r"(skip\w*|cannot)\b", line, re.IGNORECASE):
            return line
    return lines[-1] if lines else default


def ctest_results(case):
    name = case.get("name")
    output = case.findtext("system-out") or ""
    cases = cmocka_cases(name, output) if name.startswith("unit/") else []
    if case.get("status") == "run":
        return cases or [Result(name, "passed")]
    skipped = case.find("skipped")
    if case.get("status") == "notrun" and skipped is not None and "SKIP" in skipped.get("message", ""):
        return [Result(name, "skipped", skip_reason(output, "no reason given"))]
    if not any(r.outcome == "failed" for r in cases):  # it crashed, or could not be run
        failure = case.find("failure")
        why = failure.get("message", "") if failure is not None else case.get("status", "")
        cases.append(Result(name, "failed", f"{why}\n{output}".strip()))
    return cases


def pytest_results(case):
    name = f"{case.get('classname')}::{case.get('name')}"
    for kind in ("failure", "error"):
        found = case.find(kind)
        if found is not None:
            return [Result(name, "failed", (found.text or found.get("message") or "").strip())]
    skipped = case.find("skipped")
    if skipped is not None:
        return [Result(name, "skipped", skipped.get("message", "no reason given"))]
    return [Result(name, "passed")]


def read_junit(path):
    """Every result of one file; its suite is named by the file: "release.unit.xml" is "release unit"."""
    suite = os.path.basename(path)[: -len(".xml")].replace(".", " ")
    results = []
    for case in ElementTree.parse(path).iter("testcase"):
        # Only ctest writes a status attribute.
        results += ctest_results(case) if case.get("status") else pytest_results(case)
    for result in results:
        result.name = f"{suite}: {result.name}"
    return results


def read_directory(directory):
    results = []
    for entry in sorted(os.listdir(directory)):
        path = os.path.join(directory, entry)
        if entry.endswith(".xml"):
            results += read_junit(path)
        elif entry.endswith(".failed"):
            with open(path, errors="replace") as file:
                results.append(Result(entry.split(".", 1)[1][: -len(".failed")], "failed", file.read()))
        elif entry == "passed_steps":
            with open(path) as file:
                results += [Result(line.strip(), "passed") for line in file if line.strip()]
    return results


def indented(text):
    lines = text.splitlines()
    if len(lines) > OUTPUT_LINES:
        lines = [f"… {len(lines) - OUTPUT_LINES} lines left out"] + lines[-OUTPUT_LINES:]
    return "\n".join("    " + line for line in lines)


def count_line(results):
    count = {outcome: sum(r.outcome == outcome for r in results) for outcome in ("passed", "failed", "skipped")}
    return ", ".join(f"{n} {outcome}" for outcome, n in count.items())


def print_summary(results):
    failed = [r for r in results if r.outcome == "failed"]
    skipped = [r for r in results if r.outcome == "skipped"]
    if failed:
        print("\nFailed:")
    for result in failed:
        print(f"  {result.name}\n{indented(result.text)}")
    if skipped:
        print("\nSkipped:")
    for result in skipped:
        print(f"  {result.name}: {' '.join(result.text.split())}")
    print()
    print(count_line(results))


def main(arguments):
    if len(arguments) == 2 and arguments[0] == "--count":
        print(count_line(read_junit(arguments[1])))
        return 0
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    results = read_directory(arguments[0])
    print_summary(results)
    return 0 if any(r.outcome == "passed" for r in results) and not any(
        r.outcome == "failed" for r in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
