# SPDX-License-Identifier: BSD-3-Clause
"""Run one cmocka program and print TAP that meson reads without mistakes.

    python3 run_cmocka.py PROGRAM [ARGUMENT...]

cmocka 1.1.5 writes "not ok 3 # SKIP name" for a skipped test, which TAP reads
as a failure; every cmocka restarts the numbers, with a second plan, for each
group, and says nothing when the program dies. Here a skip is "ok ... # SKIP",
groups are numbered through, other output becomes a comment, and a program that
ends before its last test, or badly after it (as with a sanitizer's report at
exit), gets one "not ok" more. Lines go out as they come in, so that the log of
a test that hangs shows how far it got.

Exit status: 0 when no test failed, else 1.
"""
import os
import re
import signal
import subprocess
import sys

PLAN = re.compile(r'1\.\.(\d+)\s*$')
RESULT = re.compile(r'(not )?ok (\d+)\b(?:\s*-)?\s*(.*)$')
SKIP = re.compile(r'#\s*skip\S*\s*', re.IGNORECASE)
FIXTURE = re.compile(r'(?:not )?ok\b.*\bGROUP (?:SETUP|TEARDOWN)\b')


class Tap:
    """The stream being read (one or more groups) and the one being written."""

    def __init__(self):
        self.planned = None     # tests in the group being read; None outside
        self.seen = 0           # results of that group
        self.written = 0
        self.failed = 0
        self.fixture_failed = False

    def result(self, ok, name, skipped=False):
        self.written += 1
        self.failed += not ok
        # A '#' in a name would start a directive.
        name = name.strip().replace('#', '.')
        print(f"{'ok' if ok else 'not ok'} {self.written} - {name}"
              f"{' # SKIP' if skipped else ''}", flush=True)

    def end_group(self, how):
        if self.planned is not None and self.seen < self.planned \
                and not self.fixture_failed:
            self.result(False, f'ended after {self.seen} of {self.planned} '
                               f'tests: {how}')
        self.planned = None

    def line(self, text):
        plan = PLAN.match(text)
        result = RESULT.match(text)
        if plan:
            self.end_group('next group began')
            self.planned, self.seen = int(plan[1]), 0
            self.fixture_failed = False
        elif FIXTURE.match(text):
            self.fixture_failed = True
            self.result(False, text.split('-', 1)[-1].strip())
        elif result and self.planned is not None \
                and int(result[2]) == self.seen + 1:
            self.seen += 1
            skipped = SKIP.search(result[3]) is not None
            self.result(skipped or not result[1], SKIP.sub('', result[3]),
                        skipped)
        else:
            print(text if text.startswith('#') else '# ' + text, flush=True)


def ending(status):
    """Words for a Popen return code."""
    if status >= 0:
        return f'exit status {status}'
    try:
        return 'killed by ' + signal.Signals(-status).name
    except ValueError:
        return f'killed by signal {-status}'


def main(argv):
    if not argv:
        print(__doc__, file=sys.stderr)
        return 2
    environment = dict(os.environ, CMOCKA_MESSAGE_OUTPUT='TAP')
    tap = Tap()
    started = False
    with subprocess.Popen(argv, stdout=subprocess.PIPE, env=environment,
                          encoding='utf-8', errors='replace') as program:
        for text in program.stdout:
            tap.line(text.rstrip('\n'))
            started = started or tap.planned is not None
    status = program.returncode
    reported = tap.failed
    tap.end_group(ending(status))
    if not started:
        tap.result(False, 'ran no test: ' + ending(status))
    elif tap.failed == reported and status not in (0, reported):
        tap.result(False, 'bad end after the last test: ' + ending(status))
    print(f'1..{tap.written}', flush=True)
    return 1 if tap.failed else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
