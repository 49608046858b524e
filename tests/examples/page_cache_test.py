# SPDX-License-Identifier: BSD-3-Clause
"""What page_cache printed survives a kill -9, and no page stays torn. TAP.

    page_cache_test.py PAGE_CACHE

Kills it some updates after it began, wherever its threads are then, starts it
anew, and compares each page with what was printed. Goes on until a kill has
torn a page, so that there was something to recover, and a few times more.
"""
import array
import os
import subprocess
import sys
import tempfile
from pathlib import Path

PAGE = 4096
PMD_PAGES = 512
HUGE = range(PMD_PAGES, 3 * PMD_PAGES, PMD_PAGES)
SMALL = range(3 * PMD_PAGES, 3 * PMD_PAGES + 64)
KILLS, MOST_KILLS = 5, 200
# A page cache survives its processes; msync(2) would only be slow.
ENVIRONMENT = dict(os.environ, PMEM2_FORCE_GRANULARITY='CACHE_LINE')


def run_and_kill(program, path, seed, updates):
    """Updates {index: version} that were printed before it was killed."""
    printed = {}
    with subprocess.Popen([program, path, str(seed), str(seed + 1)],
                          stdout=subprocess.PIPE, text=True,
                          env=ENVIRONMENT) as process:
        for number, line in enumerate(process.stdout):
            if number == updates:
                process.kill()
            # The last line may be cut.
            if line.endswith('\n'):
                index, version = map(int, line.split())
                printed[index] = max(version, printed.get(index, 0))
    return printed


def pages(path):
    """{index: the versions in it}"""
    data = path.read_bytes()
    sizes = [*((index, PMD_PAGES) for index in HUGE),
             *((index, 1) for index in SMALL)]
    return {index: set(array.array('Q', data[index * PAGE:
                                             (index + nr) * PAGE]))
            for index, nr in sizes}


def check(path, printed):
    """Complaints about the recovered file."""
    for index, versions in pages(path).items():
        if len(versions) != 1:
            yield f'page {index} is torn: {sorted(versions)}'
        # Each thread may have been killed before it could print.
        elif not 0 <= min(versions) - printed.get(index, 0) <= 2:
            yield f'page {index} is {versions}, {printed.get(index)} printed'


def kill_and_recover(program, path, number, printed):
    """True: a page was torn before the recovery. Updates @printed."""
    for index, version in run_and_kill(program, path, 2 * number + 1,
                                       50 + 37 * number % 400).items():
        printed[index] = max(version, printed.get(index, 0))
    torn = any(len(versions) != 1 for versions in pages(path).values())
    subprocess.run([program, path], check=True, env=ENVIRONMENT)
    problems = list(check(path, printed))
    print('not ok' if problems else 'ok', f'{number + 1} - kill {number + 1}')
    for problem in problems:
        print('#', problem)
    for index, versions in pages(path).items():
        printed[index] = max(versions)
    return torn, bool(problems)


def main(program):
    printed, number, torn, failed = {}, 0, 0, False
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'file'
        while number < KILLS or (not torn and number < MOST_KILLS):
            one, bad = kill_and_recover(program, path, number, printed)
            number, torn, failed = number + 1, torn + one, failed or bad
    print('ok' if torn else 'not ok', f'{number + 1} - a kill tore a page')
    print(f'# {torn} of {number} kills did')
    print(f'1..{number + 1}')
    return int(failed or not torn)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
