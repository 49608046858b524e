# SPDX-License-Identifier: BSD-3-Clause
"""A meson project builds daxlock within itself. TAP.

    subproject_test.py MESON

Puts the folder superproject together with doc/daxlock.wrap, our source and the
consumers; builds those, with the shared library and with the static one, and
runs them.
"""
import shutil
import sys
import tempfile
from pathlib import Path

from source_tree import ROOT
from tap import Tap, run

HERE = ROOT / 'tests' / 'install'
PROGRAMS = {'consumer': 'empty entry at 7', 'explorer': 'PROVED'}


def superproject(folder):
    source = folder / 'source'
    shutil.copytree(HERE / 'superproject', source)
    for program in PROGRAMS:
        shutil.copy(HERE / f'{program}.c', source)
    subprojects = source / 'subprojects'
    subprojects.mkdir()
    shutil.copy(ROOT / 'doc' / 'daxlock.wrap', subprojects)
    (subprojects / 'daxlock').symlink_to(ROOT)
    return source


def check(meson, source, build, library, programs, tap):
    # The wrap, even where daxlock is installed; and the fastest build.
    ok, log = run([meson, 'setup', build, source, '--wrap-mode=forcefallback',
                   f'-Ddefault_library={library}', '-Doptimization=0'])
    tap.report(ok, f'meson setup, {library}', log)
    for program in programs:
        if ok:
            ok, log = run([meson, 'compile', '-C', build, program])
        if ok:
            ok, log = run([build / program])
        tap.report(ok and PROGRAMS[program] in log, f'{program}, {library}', log)


def main(meson):
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        source = superproject(Path(folder))
        # libdaxlock-explore is static in any case.
        for library, programs in (('shared', PROGRAMS),
                                  ('static', ['consumer'])):
            check(meson, source, Path(folder, library), library, programs, tap)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
