#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""json_test.py BENCH json|no-json OPTION...: what --json prints can be read,
and a build without json-c says so and ends with 2; so does wrong use."""
import json
import subprocess
import sys

ROW = {'bench': str, 'case': str, 'subject': str, 'unit': str,
       'median': float, 'min': float, 'max': float, 'reps': int}


def run(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True,
                          check=False)


def check_rows(text):
    report = json.loads(text)
    assert report['machine']['cpus'] > 0, report['machine']
    assert report['rows'], 'no rows'
    for row in report['rows']:
        for key, kind in ROW.items():
            assert isinstance(row[key], kind), (key, row)
        assert 0 < row['min'] <= row['median'] <= row['max'], row
    return {(row['case'], row['subject']): row for row in report['rows']}


def test_fault(command):
    rows = check_rows(run(*command).stdout)
    for case in ('1t-pte', '1t-pmd', '1t-pte-zero', '1t-pmd-zero',
                 '1t-pte-mkwrite', '1t-pmd-mkwrite'):
        assert rows[case, 'daxlock']['unit'] == 'ns/op', rows


def main(bench, build, *options):
    printed = run(bench, 'lock', '--json', '--case', '1t', *options)
    if build == 'no-json':
        assert printed.returncode == 2, printed
    else:
        assert printed.returncode == 0, printed
        rows = check_rows(printed.stdout)
        assert ('1t-4MiB-random', 'daxlock') in rows, rows.keys()
        test_fault((bench, 'fault', '--json', '--case', '1t', *options))
    for wrong in [(), ('nothing',), ('lock', 'tree'), ('lock', '--reps', '0'),
                  ('lock', '--unknown')]:
        assert run(bench, *wrong).returncode == 2, wrong
    assert run(bench, '--help').returncode == 0


main(*sys.argv[1:])
