# SPDX-License-Identifier: BSD-3-Clause
"""What daxlock-replay does with its command line. One TAP test a case.

    program_test.py DAXLOCK_REPLAY FOLDER
"""
import pathlib
import subprocess
import sys
import tempfile


def run(program, *words):
    return subprocess.run([program, *words], capture_output=True, text=True,
                          check=False)


def cases(program, scenario, broken):
    kernel = run(program, '--fs-dax', scenario)
    yield 'events look as in a kernel with --fs-dax', \
        kernel.returncode == 0 and \
        'dax_pmd_fault_done: ino 0x1 shared READ' in kernel.stdout and \
        'grab_mapping_entry: ino 0x1 pgoff 0x0 PMD|EMPTY' in kernel.stdout
    yield '--help is on stdout', \
        run(program, '--help').stdout.startswith('usage: ')
    yield 'no file is wrong use', run(program).returncode == 2
    yield 'two files are wrong use', \
        run(program, scenario, scenario).returncode == 2
    yield 'a file that is not there is wrong use', \
        run(program, f'{scenario}.not').returncode == 2
    yield 'an unknown profile is wrong use', \
        run(program, '--profile', '2.4', scenario).returncode == 2
    broken.write_text(
        '# ' + 300 * 'long ' + '\nfile f 4M\n  \nscatter f g 0 8K\n'
        'map A f 0 4M nohuge huge sync ro skew=4K\nr A 8K\n')
    result = run(program, str(broken))
    yield 'long comments, new files and all options are understood', \
        result.returncode == 0 and 'PT A -0x1000 ' in result.stdout
    broken.write_text('file f 4M\n' + ''.join(
        f'map M{i} f 0 4K\n' for i in range(100)))
    yield 'too many mappings cannot be run', \
        run(program, str(broken)).returncode == 2
    for line in ('dance', 'r A 0', 'file f', 'file f 4X', 'file f 4K-'):
        broken.write_text(f'{line}\n')
        result = run(program, str(broken))
        yield f'"{line}" cannot be run', \
            result.returncode == 2 and 'line 1' in result.stderr


def main(program, folder):
    scenario = str(next(pathlib.Path(folder, 'scenarios').glob('02-*.sc')))
    with tempfile.TemporaryDirectory() as place:
        results = list(cases(program, scenario, pathlib.Path(place, 'x.sc')))
    print(f'1..{len(results)}')
    for number, (name, good) in enumerate(results, 1):
        print(f'{"ok" if good else "not ok"} {number} {name}')
    return 0 if all(good for _, good in results) else 1


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
