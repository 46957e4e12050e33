#!/usr/bin/env python3
"""Checks of the tree that no compiler makes: layers, owners of headers, limits, comments, layout.

usage: lint.py [--self-test] [ROOT]

Prints "file:line: reason" for every finding. Exit status 0 = clean, 1 = findings, 77 = nothing found, but a check
could not run (the reason is printed). The rules are the tables below; .github/CONTRIBUTING.md explains them.
"""

import fnmatch
import os
import re
import shutil
import subprocess
import sys
import tempfile

# Who may not include whom. Both sides are path prefixes.
LAYERS = [
    ("common/", ("agent/", "aclserver/")),
    ("agent/", ("aclserver/",)),
    ("aclserver/", ("agent/",)),
    ("tests/unit/common/", ("agent/", "aclserver/")),
    ("tests/fuzz/common/", ("agent/", "aclserver/")),
]

# Pure modules: bytes or text in, values out.
PURE = [
    "common/arena.[ch]", "common/conf.[ch]", "common/err.[ch]", "common/parse.[ch]", "common/ratelimit.[ch]",
    "common/rbuf.[ch]", "common/wbuf.[ch]", "common/nft_udata.[ch]", "common/nl_attr.[ch]", "common/nl_build.[ch]",
    "agent/*_msg.[ch]", "agent/sflow_*.[ch]", "agent/packet.[ch]", "agent/counters.[ch]", "agent/agent_conf*.[ch]",
    "agent/conf_*.[ch]", "agent/settings.[ch]", "agent/module_*.[ch]", "agent/sff*.c", "agent/cmis.c",
    "agent/packet_parse.[ch]", "agent/seq_track.h", "agent/agent_addr.[ch]", "agent/hsflowd_auto.[ch]",
    "agent/dnssd_txt.[ch]", "agent/dnssd_track.[ch]", "agent/dnssd_select.[ch]", "agent/dnssd_result.[ch]",
    "agent/proc_*text.[ch]", "agent/text.[ch]", "agent/host_uuid.[ch]", "agent/if_history.[ch]",
    "aclserver/diag.[ch]", "aclserver/field.[ch]", "aclserver/fold.[ch]", "aclserver/hash.[ch]", "aclserver/json_*.[ch]",
    "aclserver/match*.[ch]", "aclserver/target*.[ch]", "aclserver/rule.[ch]", "aclserver/rule_*.[ch]", "aclserver/ruleset*.[ch]",
    "aclserver/dscp_name.[ch]", "aclserver/meter_name.[ch]", "aclserver/recent.[ch]", "aclserver/policy_compile.c",
    "aclserver/placement.[ch]", "aclserver/policy.h", "aclserver/policy_conf.[ch]", "aclserver/policy_expand.[ch]",
    "aclserver/policy_parse.[ch]", "aclserver/policy_text.[ch]", "aclserver/policy_vars.[ch]",
    "aclserver/server_conf_*.[ch]", "aclserver/utf8.[ch]", "aclserver/acl_name.[ch]", "aclserver/prefer.[ch]",
    "aclserver/scopes.[ch]", "aclserver/tokens.[ch]",
    "aclserver/lockout.[ch]", "aclserver/acl_columns.[ch]", "aclserver/acl_extras.[ch]", "aclserver/acl_line.[ch]",
    "aclserver/strict_count.[ch]",
]
PURE_MAY_NOT_INCLUDE = [
    "common/log.h", "common/loop.h", "common/file.h", "common/priv.h", "common/sdnotify.h", "common/nl.h",
    "time.h", "sys/time.h", "sys/epoll.h", "sys/signalfd.h", "sys/timerfd.h", "poll.h", "fcntl.h", "dirent.h",
    "syslog.h", "netdb.h", "pthread.h",
]
PURE_MAY_NOT_CALL = [
    "mono_now", "time", "clock_gettime", "gettimeofday", "socket", "open", "openat", "fopen", "read", "write",
    "getenv", "printf",
]

# One owner per third-party header, and per kernel interface that has a module of its own.
OWNERS = [
    ("civetweb.h", ["aclserver/http.c"]),
    ("libnftnl/*", ["common/nft*.[ch]", "aclserver/nft_emit*.[ch]"]),
    ("libmnl/*", ["common/nft*.[ch]", "common/nl*.[ch]"]),
    ("netlink/*", ["common/nl*.[ch]"]),
    ("cjson/*", ["aclserver/json_*.[ch]", "aclserver/report.c", "agent/status_json.c"]),
    ("ares.h", ["agent/dns.c"]),
    ("cap-ng.h", ["common/priv.c"]),
    ("sys/capability.h", []),
    ("seccomp.h", ["common/priv.c"]),
    ("linux/seccomp.h", ["common/priv.c"]),
    ("openssl/*", ["aclserver/front_tls.c", "aclserver/front_stream.c", "aclserver/tokens.c"]),
    ("xxhash.h", ["aclserver/hash.c"]),
    ("sys/epoll.h", ["common/loop.c"]),
    ("sys/signalfd.h", ["common/loop.c"]),
    ("sys/timerfd.h", ["common/loop.c"]),
]

# Calls, why not, and where they are allowed all the same.
UNBOUNDED = "has no bound; use snprintf or memcpy"
NUMBERS = "takes signs, blanks and trailing text; use common/parse.h"
OLD_NET = "is not for IPv6 or not strict; use common/parse.h"
BLOCKS = "stops everything else; use a timer of common/loop.h"
BANNED = [
    (("strcpy", "stpcpy", "strcat", "sprintf", "vsprintf", "gets", "alloca"), UNBOUNDED, []),
    (("atoi", "atol", "atoll", "atof", "strtol", "strtoul", "strtoll", "strtoull", "strtod"), NUMBERS,
     ["common/parse.c"]),
    (("sscanf",), NUMBERS, ["common/parse.c", "tests/*"]),
    (("inet_addr", "inet_aton", "inet_ntoa", "gethostbyname"), OLD_NET, []),
    (("strtok",), "keeps hidden state; use strcspn", []),
    (("system", "popen"), "runs a shell; use posix_spawn or execve", ["tests/*"]),
    (("exit",), "only main.c ends the process; return an error", ["*main.c"]),
    (("sleep", "usleep", "nanosleep"), BLOCKS, []),
]

FUNCTION_LINES = 60
FILE_LINES = 600
# A pointer and its length are one parameter, and so are a callback and its user_data; what the function gives back
# (ret…) or reports through (struct err, struct diags) does not count.
PARAMETERS = 5
LENGTH = re.compile(r"\b(?:len|n|size|n_\w+|\w+_len|\w+_size)$")
NOT_COUNTED = re.compile(r"\bret(?:_\w+)?(?:\[\d*\])?$|^struct (?:err|diags) \*")
CLANG_FORMAT_MAJOR = 14  # layout differs between versions; Debian 12 has this one

# The only files of the tests that may sleep: they wait for a condition with a deadline.
MAY_SLEEP = ("tests/integration/wait.py", "tests/tools/package_common.sh")
PYTHON_SLEEP = re.compile(r"\btime\.sleep\b|from\s+time\s+import\s.*\bsleep\b")
SHELL_SLEEP = re.compile(r"(?:^|[;&|({]|\b(?:do|then|else)\s)\s*sleep\s")
OPEN_ENDS = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]')
# In this order: a quote inside a comment is no string, and the other way round.
COMMENT_OR_LITERAL = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
IGNORED_DIRECTORIES = re.compile(r"^(?:\.git|build|build-.*|obj-.*|__pycache__|\.pytest_cache|\.debhelper)$")


def matches(path, patterns):
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns)


class SourceFile:
    """One text file of the tree."""

    def __init__(self, root, path):
        self.root = root
        self.path = path
        with open(os.path.join(root, path), encoding="utf-8", errors="replace") as f:
            self.text = f.read()
        self.lines = self.text.splitlines()

    @property
    def is_c(self):
        return self.path.endswith((".c", ".h"))

    def language(self):
        """c, python, shell or other, by name or by the first line."""
        first = self.lines[0] if self.lines else ""
        if self.is_c:
            return "c"
        if self.path.endswith(".py") or (first.startswith("#!") and "python" in first):
            return "python"
        if self.path.endswith(".sh") or re.match(r"#!.*\b(?:ba|da)?sh\b", first):
            return "shell"
        return "other"

    def code(self):
        """The C text with comments and literals blanked; every line keeps its number."""
        return COMMENT_OR_LITERAL.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), self.text)

    def includes(self):
        """(line, header) of every #include."""
        for number, line in enumerate(self.lines, 1):
            found = INCLUDE.match(line)
            if found:
                yield number, found.group(1)


def find_files(root):
    for directory, names, files in os.walk(root):
        names[:] = sorted(n for n in names if not IGNORED_DIRECTORIES.match(n))
        for name in sorted(files):
            path = os.path.relpath(os.path.join(directory, name), root)
            # Corpora and golden files hold whatever bytes a test needs.
            if os.path.islink(os.path.join(root, path)) or path.startswith(("tests/fuzz/corpus/", "tests/golden/")):
                continue
            yield path


class Tag:
    """A function, prototype or typedef that ctags found."""

    def __init__(self, line):
        self.kind, self.path, first, last, self.name, self.signature = line.split("\t", 5)
        self.line = int(first)
        self.end = int(last) if last else self.line

    def parameters(self):
        """How many things the function is given, see PARAMETERS."""
        count, before = 0, ""
        for parameter in split_parameters(self.signature[1:-1]):
            length = LENGTH.search(parameter) and "*" in before
            context = parameter.endswith("user_data") and "_fn " in before
            count += not (length or context or NOT_COUNTED.search(parameter))
            before = parameter
        return count


def split_parameters(text):
    """The parameters of a signature, function pointers in one piece; "void" and "..." are none."""
    parts, depth = [""], 0
    for c in text:
        depth += (c == "(") - (c == ")")
        if c == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += c
    return [part.strip() for part in parts if part.strip() not in ("", "void", "...")]


def read_tags(root, paths):
    if not paths:
        return []
    text = subprocess.run(
        ["ctags", "-x", "--_xformat=%{kind}\t%F\t%n\t%e\t%N\t%S", "--languages=C", "--langmap=C:.c.h",
         "--kinds-C=fpt", "-L", "-"],
        cwd=root, input="\n".join(paths), capture_output=True, text=True, check=True).stdout
    return [Tag(line) for line in text.splitlines()]


def check_layers(file):
    for line, header in file.includes():
        for prefix, forbidden in LAYERS:
            if file.path.startswith(prefix) and header.startswith(forbidden):
                yield line, f"{prefix.rstrip('/')} may not include {header}"


def check_pure(file):
    if not matches(file.path, PURE):
        return
    for line, header in file.includes():
        if matches(header, PURE_MAY_NOT_INCLUDE):
            yield line, f"a pure module may not include {header}"
    calls = re.compile(r"(?<![\w.>])(%s)\s*\(" % "|".join(PURE_MAY_NOT_CALL))
    for line, name in find_calls(file, calls):
        yield line, f"a pure module may not call {name}()"


def find_calls(file, pattern):
    for number, line in enumerate(file.code().split("\n"), 1):
        for found in pattern.finditer(line):
            yield number, found.group(1)


def check_owners(file):
    if file.path.startswith("tests/"):
        return
    for line, header in file.includes():
        for pattern, owners in OWNERS:
            if fnmatch.fnmatchcase(header, pattern) and not matches(file.path, owners):
                yield line, f"{header} belongs to {', '.join(owners) or 'nobody'}"


def check_banned_calls(file):
    for names, reason, allowed in BANNED:
        if matches(file.path, allowed):
            continue
        for line, name in find_calls(file, re.compile(r"(?<![\w.>])(%s)\s*\(" % "|".join(names))):
            yield line, f"{name}() {reason}"


def check_opening(file):
    head = "\n".join(file.lines[:3])
    if not head.startswith("/*"):
        yield 1, "no opening comment"
    elif os.path.basename(file.path) not in head:
        yield 1, f"the opening comment does not begin with {os.path.basename(file.path)}"
    if file.path.endswith(".h") and "#pragma once" not in file.lines:
        yield 1, "no #pragma once"


def is_documented(file, line):
    """True if a doc comment stands above the group of prototypes that @line (1-based) belongs to."""
    above = line - 2
    while above >= 0 and file.lines[above].strip() and not file.lines[above].rstrip().endswith("*/"):
        if file.lines[above].startswith(("#", "}")):
            return False
        above -= 1
    while above >= 0 and file.lines[above].strip() and not file.lines[above].lstrip().startswith("/*"):
        above -= 1
    return above >= 0 and file.lines[above].startswith("/**")


def check_tags(file, tags):
    for tag in tags:
        if tag.kind == "function" and tag.end - tag.line + 1 > FUNCTION_LINES:
            yield tag.line, f"{tag.name}() has {tag.end - tag.line + 1} lines, at most {FUNCTION_LINES}"
        if tag.kind in ("function", "prototype") and tag.parameters() > PARAMETERS:
            yield tag.line, f"{tag.name}() has {tag.parameters()} parameters, at most {PARAMETERS}; use a struct"
        if tag.kind == "prototype" and file.path.endswith(".h") and not is_documented(file, tag.line):
            yield tag.line, f"{tag.name}() has no /** comment"
        if tag.kind == "typedef" and not tag.name.endswith("_fn"):
            yield tag.line, f"typedef {tag.name}: only callbacks (…_fn) have one"


def check_any(file):
    for number, line in enumerate(file.lines, 1):
        found = OPEN_ENDS.search(line)
        if found:
            yield number, f"{found.group()}: finish it or open an issue"
    if file.language() in ("c", "python", "shell") and len(file.lines) > FILE_LINES:
        yield FILE_LINES + 1, f"{len(file.lines)} lines, at most {FILE_LINES}"


def check_sleep(file):
    if not file.path.startswith("tests/") or file.path in MAY_SLEEP:
        return
    pattern = {"python": PYTHON_SLEEP, "shell": SHELL_SLEEP}.get(file.language())
    for number, line in enumerate(file.lines, 1):
        if pattern and not line.lstrip().startswith("#") and pattern.search(line):
            yield number, f"sleeps; wait for a condition as in {MAY_SLEEP[0]}"


def find_clang_format():
    """The program of the wanted version, or None."""
    for name in (f"clang-format-{CLANG_FORMAT_MAJOR}", "clang-format"):
        if shutil.which(name):
            version = subprocess.run([name, "--version"], capture_output=True, text=True, check=True).stdout
            if f"version {CLANG_FORMAT_MAJOR}." in version:
                return name
    return None


def check_format(root, paths, program):
    """Yields (path, line, reason) of the first wrong place of each file."""
    seen = set()
    if not paths:
        return
    text = subprocess.run([program, "--dry-run", *paths], cwd=root, capture_output=True, text=True, check=False).stderr
    for line in text.splitlines():
        found = re.match(r"(.+?):(\d+):\d+: (?:warning|error): .*clang-format", line)
        if found and found.group(1) not in seen:
            seen.add(found.group(1))
            yield found.group(1), int(found.group(2)), "layout: run clang-format -i on the file"


C_CHECKS = [check_layers, check_pure, check_owners, check_banned_calls, check_opening]
ALL_CHECKS = [check_any, check_sleep]


def lint(root, clang_format):
    """All findings of the tree as sorted (path, line, reason)."""
    files = [SourceFile(root, path) for path in find_files(root)]
    c_paths = [file.path for file in files if file.is_c]
    tags = {}
    for tag in read_tags(root, c_paths):
        tags.setdefault(tag.path, []).append(tag)
    findings = []
    for file in files:
        for check in (C_CHECKS if file.is_c else []) + ALL_CHECKS:
            findings += [(file.path, line, reason) for line, reason in check(file)]
        findings += [(file.path, line, reason) for line, reason in check_tags(file, tags.get(file.path, []))]
    if clang_format:
        findings += check_format(root, c_paths, clang_format)
    return sorted(set(findings))


def c_file(name, *lines):
    return "\n".join(["/*", f" * {name} - made up.", " */", *lines]) + "\n"


def header(name, *lines):
    return c_file(name, "#pragma once", "", *lines)


def long_function(lines):
    return ["int", "f(void)", "{", *["\tg();"] * (lines - 4), "\treturn 0;", "}"]


# A tree without findings that uses everything that is allowed, each in its place.
CLEAN = {
    ".clang-format": "BasedOnStyle: LLVM\nIndentWidth: 8\nUseTab: Always\nAllowShortFunctionsOnASingleLine: None\n"
                     "AlwaysBreakAfterReturnType: TopLevelDefinitions\nBreakBeforeBraces: Linux\n",
    "common/log.h": header("log.h", "/** Says it. */", "void log_info(const char *text);",
                           "void log_error(const char *text);", "",
                           "/** Called with it. */", "typedef void (*log_fn)(int a, int b, int c, int d, int e);"),
    "common/parse.c": c_file("parse.c", "#include <stdlib.h>", "", *long_function(FUNCTION_LINES), "",
                             "int", "h(void)", "{", '\treturn strtol("strcpy(", 0, 0); /* sprintf( */', "}"),
    "common/loop.c": c_file("loop.c", "#include <sys/epoll.h>"),
    "common/priv.c": c_file("priv.c", "#include <cap-ng.h>", "#include <seccomp.h>"),
    "common/nft.c": c_file("nft.c", "#include <libmnl/libmnl.h>", "#include <libnftnl/rule.h>"),
    "agent/main.c": c_file("main.c", '#include "common/log.h"', "", "int", "main(void)", "{", "\texit(1);", "}"),
    "common/file.c": c_file("file.c", "", "int",
                            "f(int a, char *b, int len, x_fn c, void *user_data, int d, int e, int *ret,",
                            "  struct err *err)", "{", "\treturn 0;", "}"),
    "agent/source_x.c": c_file("source_x.c", '#include "common/log.h"', "#include <time.h>"),
    MAY_SLEEP[0]: "import time\ntime." "sleep(0.1)\n",
    "tests/run": "#!/bin/bash\necho no sleep here\n",
}

# For each check one file that must be found, and the beginning of the reason.
DIRTY = [
    ("common/a.c", c_file("a.c", '#include "agent/x.h"'), "common may not include agent/x.h"),
    ("agent/a.c", c_file("a.c", '#include "aclserver/x.h"'), "agent may not include aclserver/x.h"),
    ("aclserver/a.c", c_file("a.c", '#include "agent/x.h"'), "aclserver may not include agent/x.h"),
    ("agent/x_msg.c", c_file("x_msg.c", '#include "common/log.h"'), "a pure module may not include common/log.h"),
    ("common/wbuf.c", c_file("wbuf.c", "#include <time.h>"), "a pure module may not include time.h"),
    ("common/err.c", c_file("err.c", "", "int", "f(void)", "{", "\treturn time(0);", "}"),
     "a pure module may not call time()"),
    ("aclserver/api.c", c_file("api.c", "#include <civetweb.h>"), "civetweb.h belongs to aclserver/http.c"),
    ("agent/a.c", c_file("a.c", "#include <libmnl/libmnl.h>"), "libmnl/libmnl.h belongs to"),
    ("agent/a.c", c_file("a.c", "#include <netlink/netlink.h>"), "netlink/netlink.h belongs to"),
    ("agent/a.c", c_file("a.c", "#include <libnftnl/rule.h>"), "libnftnl/rule.h belongs to"),
    ("agent/a.c", c_file("a.c", "#include <cjson/cJSON.h>"), "cjson/cJSON.h belongs to"),
    ("agent/a.c", c_file("a.c", "#include <cap-ng.h>"), "cap-ng.h belongs to common/priv.c"),
    ("agent/a.c", c_file("a.c", "#include <seccomp.h>"), "seccomp.h belongs to common/priv.c"),
    ("agent/a.c", c_file("a.c", "#include <xxhash.h>"), "xxhash.h belongs to"),
    ("agent/a.c", c_file("a.c", "#include <sys/epoll.h>"), "sys/epoll.h belongs to common/loop.c"),
    ("agent/a.c", c_file("a.c", "", "int", "f(char *a)", "{", '\treturn sprintf(a, "x");', "}"), "sprintf() has no"),
    ("agent/a.c", c_file("a.c", "", "int", "f(char *a)", "{", "\treturn atoi(a);", "}"), "atoi() takes signs"),
    ("agent/a.c", c_file("a.c", "", "void", "f(void)", "{", "\texit(1);", "}"), "exit() only main.c"),
    ("tests/unit/test_a.c", c_file("test_a.c", "", "void", "f(void)", "{", "\tusleep(1);", "}"), "usleep() stops"),
    ("agent/a.c", c_file("a.c", "", *long_function(FUNCTION_LINES + 1)), "f() has 61 lines"),
    ("agent/a.c", c_file("a.c", "", *["int a;"] * FILE_LINES), "604 lines, at most 600"),
    ("agent/a.c", c_file("a.c", "", "int", "f(int a, int b, int c, int d, int (*e)(int, int), int g)", "{",
                         "\treturn 0;", "}"), "f() has 6 parameters"),
    ("agent/a.c", c_file("a.c", "", "int", "f(int a, int b, int c, int d, int len, int n)", "{", "\treturn 0;", "}"),
     "f() has 6 parameters"),
    ("agent/a.c", c_file("a.c", "", "typedef struct a a_t;"), "typedef a_t: only callbacks"),
    ("agent/a.c", c_file("a.c", "", "int  a;"), "layout: run clang-format"),
    ("agent/a.c", c_file("a.c", "/* TO" "DO: more */"), "TO" "DO: finish it"),
    ("tests/b.sh", "# FIX" "ME\n", "FIX" "ME: finish it"),
    ("agent/a.c", "int a;\n", "no opening comment"),
    ("agent/a.c", c_file("b.c"), "the opening comment does not begin with a.c"),
    ("agent/a.h", c_file("a.h"), "no #pragma once"),
    ("agent/a.h", header("a.h", "int a_find(void);"), "a_find() has no /** comment"),
    ("agent/a.h", header("a.h", "/* Not a doc comment. */", "int a_find(void);"), "a_find() has no /** comment"),
    ("agent/a.h", header("a.h", "/** For another. */", "int a_add(void);", "", "int a_find(void);"),
     "a_find() has no /** comment"),
    ("tests/unit/t.py", "import time\ntime." "sleep(1)\n", "sleeps; wait for a condition"),
    ("tests/unit/t.py", "from time " "import monotonic, sleep\n", "sleeps; wait for a condition"),
    ("tests/t.sh", "while true; do sleep 1; done\n", "sleeps; wait for a condition"),
    ("tests/demo", "#!/usr/bin/env bash\n\tsleep 0.1\n", "sleeps; wait for a condition"),
]


def lint_made_up(files, clang_format):
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as f:
                f.write(text)
        return lint(root, clang_format)


def self_test(clang_format):
    """Every check finds what it is for, and nothing in a clean tree. Returns the number of failures."""
    failures = [f"clean tree: {finding}" for finding in lint_made_up(CLEAN, clang_format)]
    for path, text, reason in DIRTY:
        found = lint_made_up({**CLEAN, path: text}, clang_format)
        if len(found) != 1 or found[0][0] != path or not found[0][2].startswith(reason):
            failures.append(f"{path}: expected only \"{reason}\", found {found}")
    print("\n".join([*failures, f"{len(DIRTY) + 1} cases, {len(failures)} failed"]))
    return len(failures)


def main(arguments):
    if not shutil.which("ctags"):
        print("skipped: needs universal-ctags")
        return 77
    clang_format = find_clang_format()
    if "--self-test" in arguments:
        if not clang_format:
            print(f"skipped: needs clang-format {CLANG_FORMAT_MAJOR}")
            return 77
        return 1 if self_test(clang_format) else 0
    default_root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    findings = lint(arguments[0] if arguments else default_root, clang_format)
    for path, line, reason in findings:
        print(f"{path}:{line}: {reason}")
    if findings:
        return 1
    if not clang_format:
        print(f"skipped: layout, which needs clang-format {CLANG_FORMAT_MAJOR}; all else is clean")
        return 77
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
