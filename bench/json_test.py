#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""json_test.py BENCH json|no-json OPTION...: what --json prints can be read,
and a build without json-c says so and ends with 2; so does wrong use. No ratio
is given for 2M mappings where the kernel makes none."""
import ctypes
import json
import os
import subprocess
import sys
import tempfile

ROW = {'bench': str, 'case': str, 'subject': str, 'unit': str,
       'median': float, 'min': float, 'max': float, 'reps': int}

PR_SET_THP_DISABLE = 41


def run(*command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True,
                          check=False, **options)


def check_rows(text):
    report = json.loads(text)
    assert report['machine']['cpus'] > 0, report['machine']
    assert report['rows'], 'no rows'
    for row in report['rows']:
        for key, kind in ROW.items():
            assert isinstance(row[key], kind), (key, row)
        assert 0 < row['min'] <= row['median'] <= row['max'], row
    return {(row['case'], row['subject']): row for row in report['rows']}


def no_huge_pages():
    assert not ctypes.CDLL(None).prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0)


def check_access(rows):
    """What was measured was verified, and the ratio is there if both were."""
    pte = rows.get(('pte', 'daxlock'))
    pmd = rows.get(('pmd', 'daxlock'))
    assert (('ratio', 'daxlock') in rows) == bool(pte and pmd), rows.keys()
    if pte:
        assert int(pte['note'].split()[0]) >= 16384, pte
        assert 'at 2M 0 MiB, at 4K 64 MiB' in pte['note'], pte
    if pmd:
        assert 'at 2M 64 MiB, at 4K 0 MiB' in pmd['note'], pmd


def test_access(command):
    check_access(check_rows(run(*command).stdout))
    rows = check_rows(run(*command, preexec_fn=no_huge_pages).stdout)
    assert ('pmd', 'daxlock') not in rows, rows
    check_access(rows)
    assert run(*command, '--dir', '/dev/null').returncode == 1


def test_growth(command):
    """A point of a curve says where it is; its chart's script has it, too."""
    with tempfile.TemporaryDirectory() as charts:
        printed = run(*command, '--case', '4MiB', '--plot', charts)
        with open(os.path.join(charts, 'size.gp'), encoding='utf-8') as script:
            size = script.read()
    row = check_rows(printed.stdout)['size-4MiB', 'daxlock']
    assert (row['curve'], row['x']) == ('size', 4 << 20), row
    assert row['p50'] <= row['p99'] <= row['p99.9'], row
    assert f"\n{4 << 20} {row['median']:.3f} " in size, size
    assert run(*command, '--case', '4MiB', '--plot',
               '/dev/null/charts').returncode == 1


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
        test_access((bench, 'access', '--json', *options))
        test_growth((bench, 'growth', '--json', *options))
        test_fault((bench, 'fault', '--json', '--case', '1t', *options))
    for wrong in [(), ('nothing',), ('lock', 'tree'), ('lock', '--reps', '0'),
                  ('lock', '--unknown'), ('access', '--dir')]:
        assert run(bench, *wrong).returncode == 2, wrong
    assert run(bench, '--help').returncode == 0


main(*sys.argv[1:])
