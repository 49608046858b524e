# SPDX-License-Identifier: BSD-3-Clause
"""Every *_test.c and *_test.py under tests/ is run by meson.

    registration_test.py BUILD_ROOT

A file that no meson.build names, or names in a target that no test runs, would
rot unseen. Asks meson's own record of targets and tests, not the text of the
meson.build files.
"""
import json
import sys
from pathlib import Path

from source_tree import ROOT, verdict


def main(build):
    build = Path(build).resolve()
    info = build / 'meson-info'
    targets = json.loads((info / 'intro-targets.json').read_text())
    tests = json.loads((info / 'intro-tests.json').read_text())
    # meson runs tests in BUILD_ROOT and names its own targets from there.
    words = {str(Path(build, word)) for test in tests for word in test['cmd']}

    run = {word for word in words if word.endswith('.py')}
    for target in targets:
        if words.intersection(target['filename']):
            run.update(source for group in target['target_sources']
                       for source in group.get('sources', ()))

    run = {Path(name).resolve() for name in run}
    files = sorted(path for pattern in ('*_test.c', '*_test.py')
                   for path in (ROOT / 'tests').rglob(pattern))
    problems = [f'{path.relative_to(ROOT)}: no test runs it; '
                f'list it in {path.parent.relative_to(ROOT)}/meson.build'
                for path in files if path not in run]
    verdict(problems, (len(files), 'test files'))


if __name__ == '__main__':
    main(sys.argv[1])
