# SPDX-License-Identifier: BSD-3-Clause
"""Sum what meson ran.

    count_tests.py BUILD...

Reads the log of the last `meson test` in each build folder. A TAP program
counts as many tests as it reports, any other program as one. A program that
was killed, timed out or ended badly without a "not ok" is one failure more. A
file BUILD.broken holds why a build or a run did not end well; it is one
failure, unless that run's own failures say it already.

Prints the log of every failure, a line a build, and as its last line
"N passed, N failed" or "N passed, N failed, N skipped". Exit status 0 when
something passed and nothing failed, else 1.
"""
import json
import re
import shlex
import sys
from collections import Counter
from pathlib import Path

TAP = re.compile(r'^(?P<bad>not )?ok\b(?:[^#\n]*# *(?P<skip>skip))?',
                 re.IGNORECASE | re.MULTILINE)
GOOD = {'OK', 'EXPECTEDFAIL', 'SKIP'}
LOG_LINES = 200


def tap_programs(build):
    """Command lines of the tests that speak TAP."""
    tests = json.loads((build / 'meson-info' / 'intro-tests.json').read_text())
    return {tuple(test['cmd']) for test in tests if test['protocol'] == 'tap'}


def count_program(run, is_tap):
    """passed, failed, skipped of one program, as a Counter."""
    count = Counter()
    if is_tap:
        for line in TAP.finditer(run['stdout']):
            count['failed' if line['bad'] else
                  'skipped' if line['skip'] else 'passed'] += 1
    elif run['result'] in GOOD:
        count['skipped' if run['result'] == 'SKIP' else 'passed'] += 1
    if run['result'] not in GOOD and \
            (not count['failed'] or run['result'] == 'TIMEOUT'):
        count['failed'] += 1
    return count


def print_failure(build, run):
    print(f"\n==== {build}: {run['name']}: {run['result']}, "
          f"{run['duration']:.1f} s")
    print(f'$ cd {build} &&', shlex.join(run['command'] or ()))
    for stream in ('stdout', 'stderr'):
        lines = (run.get(stream) or '').rstrip().splitlines()
        if lines:
            print(f'---- {stream}')
        if len(lines) > LOG_LINES:
            print(f'({len(lines) - LOG_LINES} lines before these)')
        print(*lines[-LOG_LINES:], sep='\n', end='\n' if lines else '')


def count_build(build):
    total = Counter()
    log = build / 'meson-logs' / 'testlog.json'
    if log.exists():
        tap = tap_programs(build)
        for line in log.read_text().splitlines():
            run = json.loads(line)
            count = count_program(run, tuple(run['command'] or ()) in tap)
            if count['failed']:
                print_failure(build, run)
            total += count
    broken = build.with_name(build.name + '.broken')
    if broken.exists() and not total['failed']:
        print(f'\n==== {build}: {broken.read_text().strip()}')
        total['failed'] += 1
    return total


def words(count):
    text = f"{count['passed']} passed, {count['failed']} failed"
    return text + (f", {count['skipped']} skipped" if count['skipped'] else '')


def main(names):
    counts = {name: count_build(Path(name)) for name in names}
    total = sum(counts.values(), Counter())
    print()
    for name, count in counts.items():
        print(f'{name}: {words(count)}')
    print(words(total))
    return 0 if total['passed'] and not total['failed'] else 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
