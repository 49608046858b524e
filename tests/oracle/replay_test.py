# SPDX-License-Identifier: BSD-3-Clause
"""daxlock-replay prints, line for line, what a kernel did. One TAP test a
scenario.

    replay_test.py DAXLOCK_REPLAY PROFILE FOLDER

FOLDER has scenarios/NAME.sc and expected/PROFILE/NAME.expected.
"""
import difflib
import pathlib
import subprocess
import sys


def difference(program, profile, scenario, expected):
    run = subprocess.run([program, '--profile', profile, scenario],
                         capture_output=True, text=True, check=False)
    lines = list(difflib.unified_diff(
        expected.read_text().splitlines(), run.stdout.splitlines(),
        'kernel', 'daxlock', lineterm=''))
    if run.returncode:
        lines.append(f'exit {run.returncode}: {run.stderr.strip()}')
    return lines


def main(program, profile, folder):
    folder = pathlib.Path(folder)
    scenarios = sorted((folder / 'scenarios').glob('*.sc'))
    bad = 0
    print(f'1..{len(scenarios)}')
    for number, scenario in enumerate(scenarios, 1):
        name = scenario.stem
        lines = difference(program, profile, scenario, folder / 'expected' /
                           profile / f'{name}.expected')
        print(f'{"not ok" if lines else "ok"} {number} {name}')
        for line in lines:
            print(f'# {line}')
        bad += bool(lines)
    return 1 if bad or not scenarios else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
