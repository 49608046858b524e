# SPDX-License-Identifier: BSD-3-Clause
"""Every source, script and meson file names its licence in its first lines."""
import re

from source_tree import ROOT, source_files, verdict

TAG = re.compile(r'SPDX-License-Identifier: BSD-3-Clause\b')
SUFFIXES = {'.c', '.h', '.cc', '.cpp', '.py', '.sh', '.S', '.map', '.build',
            '.supp'}
NAMES = {'meson_options.txt', 'meson.options'}
LINES = 3


def wants_tag(path):
    if path.suffix in SUFFIXES or path.name in NAMES:
        return True
    if path.suffix:
        return False
    with (ROOT / path).open('rb') as file:
        return file.read(2) == b'#!'


def main():
    problems = []
    files = [path for path in source_files() if wants_tag(path)]
    for path in files:
        with (ROOT / path).open(encoding='utf-8', errors='replace') as file:
            head = ''.join(line for line, _ in zip(file, range(LINES)))
        if not TAG.search(head):
            problems.append(f'{path}: no "SPDX-License-Identifier: '
                            f'BSD-3-Clause" in its first {LINES} lines')
    verdict(problems, (len(files), 'files'))


if __name__ == '__main__':
    main()
