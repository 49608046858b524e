# SPDX-License-Identifier: BSD-3-Clause
"""The library exports exactly what lib/daxlock.map lists, and a public header
declares each: a new symbol is a decision.

    symbols_test.py NM LIBRARY
"""
import re
import subprocess
import sys

from source_tree import blank_comments, c_files, read, verdict


def listed():
    """Names of all global: sections; a pattern is a complaint."""
    text = re.sub(r'#[^\n]*', '', blank_comments(read('lib/daxlock.map')))
    names = set()
    for section in re.findall(r'global\s*:(.*?)(?:local\s*:|\})', text,
                              re.DOTALL):
        names.update(name.strip() for name in section.split(';')
                     if name.strip())
    return names


def exported(nm, library):
    output = subprocess.run(
        [nm, '-D', '--defined-only', '--format=posix', library], check=True,
        capture_output=True, text=True).stdout
    symbols = (line.split()[:2] for line in output.splitlines() if line)
    # 'A' is the version node's own name.
    return {name.split('@')[0] for name, kind in symbols if kind != 'A'}


def main(nm, library):
    listing, exports = listed(), exported(nm, library)
    headers = '\n'.join(blank_comments(read(path), strings=True)
                        for path in c_files('include'))
    declared = set(re.findall(r'\b(\w+)\s*(?=[(;\[])', headers))
    problems = [f'lib/daxlock.map: {name}: list names, not patterns'
                for name in sorted(listing) if not name.isidentifier()]
    problems += [f'{name}: exported, but not in lib/daxlock.map'
                 for name in sorted(exports - listing)]
    problems += [f'{name}: in lib/daxlock.map, but not exported'
                 for name in sorted(listing - exports)]
    problems += [f'{name}: exported, but no public header declares it'
                 for name in sorted(listing & exports - declared)]
    verdict(problems, (len(exports), 'symbols'))


if __name__ == '__main__':
    main(sys.argv[1], sys.argv[2])
