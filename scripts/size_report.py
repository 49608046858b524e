#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Warn of what is large in lib/ and include/: a reviewer decides.

    scripts/size_report.py [FOLDER...]

Functions over 80 lines, files over 800, lines over 80 columns (tabs of 8);
then the median and the 90th percentile of function lengths, to compare with 15
and 45. Always exits 0.
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FUNCTION_LINES, FILE_LINES, COLUMNS = 80, 800, 80
# The line before a body that opens in column 0 ends a parameter list; the name
# is the word before the first parenthesis of a line that starts in column 0.
NAME = re.compile(r'^[A-Za-z_].*?(\w+)\s*\(')


def functions(lines):
    """(first line, name, length) of each function, by the style's braces:
    a body opens and closes in column 0."""
    name, start = None, 0
    opened = None
    for number, line in enumerate(lines, 1):
        if opened is None:
            found = NAME.match(line)
            if found and not line.rstrip().endswith(';'):
                name, start = found[1], number
            if line.startswith('{') and name:
                opened = number
            elif line.startswith('}') or line.rstrip().endswith(';'):
                name = None
        elif line.startswith('}'):
            yield start, name, number - start + 1
            name, opened = None, None


def percentile(values, percent):
    values = sorted(values)
    return values[min(len(values) - 1, len(values) * percent // 100)]


def main(folders):
    lengths = []
    for folder in folders:
        for path in sorted((ROOT / folder).rglob('*.[ch]')):
            name = path.relative_to(ROOT)
            lines = path.read_text(encoding='utf-8').splitlines()
            if len(lines) > FILE_LINES:
                print(f'{name}: {len(lines)} lines')
            for number, line in enumerate(lines, 1):
                if len(line.expandtabs(8)) > COLUMNS:
                    print(f'{name}:{number}: '
                          f'{len(line.expandtabs(8))} columns')
            for start, function, length in functions(lines):
                lengths.append(length)
                if length > FUNCTION_LINES:
                    print(f'{name}:{start}: {function}() has {length} lines')
    if lengths:
        print(f'{len(lengths)} functions: median {percentile(lengths, 50)}, '
              f'p90 {percentile(lengths, 90)} lines')


if __name__ == '__main__':
    main(sys.argv[1:] or ['lib', 'include'])
