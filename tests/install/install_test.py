# SPDX-License-Identifier: BSD-3-Clause
"""The installed library serves a stranger who has only pkg-config. TAP.

    install_test.py BUILD_ROOT MESON PKG_CONFIG C_COMPILER... -- [CXX...]

Installs into a temporary folder; compares the installed headers with
include/daxlock; runs the programs and looks for manual pages; builds and runs
consumer.c and explorer.c, in C and in C++, with the shared library and with
the static ones when there are any; and builds consumer.c by CMake.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from source_tree import ROOT, c_files
from tap import Tap, run

HERE = ROOT / 'tests' / 'install'
# Source, pkg-config module, and what the program prints.
CONSUMER = (HERE / 'consumer.c', 'daxlock', 'empty entry at 7')
EXPLORER = (HERE / 'explorer.c', 'daxlock-explore', 'PROVED')


class Installed:
    """The tree that `meson install` left in @root."""

    def __init__(self, root, pkg_config):
        self.root = root
        self.pkg_config = pkg_config
        self.libraries = next(root.rglob('daxlock.pc')).parents[1]
        self.move_prefix()
        system = subprocess.run(
            [pkg_config, '--variable=pc_path', 'pkg-config'], check=True,
            stdout=subprocess.PIPE, text=True).stdout.strip()
        self.environment = dict(
            os.environ, LD_LIBRARY_PATH=str(self.libraries),
            PKG_CONFIG_LIBDIR=f"{self.libraries / 'pkgconfig'}:{system}")
        for name in ('PKG_CONFIG_PATH', 'PKG_CONFIG_SYSROOT_DIR'):
            self.environment.pop(name, None)

    def move_prefix(self):
        """As if installed for good: a PKG_CONFIG_SYSROOT_DIR would also move
        what we require, which is the system's."""
        for path in self.libraries.glob('pkgconfig/*.pc'):
            path.write_text(re.sub(r'^prefix=', f'prefix={self.root}',
                                   path.read_text(), flags=re.MULTILINE))

    def run(self, command):
        return run(command, env=self.environment)

    def headers(self):
        include = next(self.root.rglob('include'))
        return {str(path.relative_to(include))
                for path in include.rglob('*') if path.is_file()}

    def programs(self):
        return sorted(next(self.root.rglob('bin')).iterdir())

    def has_page(self, page):
        return any(self.root.rglob(f'man{page[-1]}/{page}'))

    def has(self, library):
        return (self.libraries / library).exists()

    def drop_shared(self):
        for path in self.libraries.glob('libdaxlock.so*'):
            path.unlink()

    def build(self, consumer, compiler, standard, *static):
        """Builds and runs @consumer."""
        source, module, output = consumer
        flags = subprocess.run(
            [self.pkg_config, *static, '--cflags', '--libs', module],
            env=self.environment, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if flags.returncode:
            return False, flags.stdout
        program = self.root / 'consumer'
        language = 'c' if standard.startswith('c1') else 'c++'
        ok, log = run([*compiler, f'-std={standard}', '-Wall', '-Wextra',
                       '-Werror', '-x', language, source, '-x', 'none',
                       '-o', program, *flags.stdout.split()])
        if not ok:
            return ok, log
        ok, printed = self.run([program])
        return ok and output in printed, log + printed

    def build_by_cmake(self, cmake):
        folder = self.root / 'cmake'
        ok, log = self.run([cmake, '-S', HERE, '-B', folder])
        for command in ([cmake, '--build', folder], [folder / 'consumer']):
            if ok:
                ok, more = self.run(command)
                log += more
        return ok and CONSUMER[2] in log, log


def check_consumer(installed, consumer, library, compilers, tap):
    static = ['--static'] if library.endswith('.a') else []
    for standard, compiler in compilers.items():
        name = f'{consumer[0].name} as {standard}, {library}'
        if not installed.has(library):
            tap.skip(name, f'no {library} in this build')
        elif not compiler:
            tap.skip(name, 'no compiler')
        else:
            ok, log = installed.build(consumer, compiler, standard, *static)
            tap.report(ok, name, log)


def check_files(installed, tap):
    wanted = {str(path.relative_to('include')) for path in c_files('include')}
    found = installed.headers()
    tap.report(found == wanted, 'every public header and no other',
               f'missing {sorted(wanted - found)}, '
               f'private {sorted(found - wanted)}')
    for program in installed.programs():
        ok, log = installed.run([program, '--help'])
        tap.report(ok, f'{program.name} --help', log)
        tap.report(installed.has_page(f'{program.name}.1'),
                   f'man {program.name}')
    tap.report(installed.has_page('dax_mapping_new.3'), 'man dax_mapping_new')


def check_cmake(installed, tap):
    name, cmake = 'consumer.c by CMake', shutil.which('cmake')
    if not cmake:
        tap.skip(name, 'no cmake')
    elif not installed.has('libdaxlock.so'):
        tap.skip(name, 'no libdaxlock.so in this build')
    else:
        ok, log = installed.build_by_cmake(cmake)
        tap.report(ok, name, log)


def check_symbols(installed, tap):
    """A program may have any name without our prefix for itself."""
    for library in sorted(installed.libraries.glob('*.a')):
        ok, symbols = run(['nm', '-g', '--defined-only', '--format=posix',
                           library])
        names = re.findall(r'^(\w+) [A-Z] ', symbols, re.MULTILINE)
        wrong = [name for name in names
                 if not name.startswith(('dax_', '__tsan_'))]
        tap.report(ok and names and not wrong,
                   f'{library.name} has no names but ours', f'{wrong}')


def check_without_tests(installed, meson, tap):
    """Nobody needs cmocka to get the programs."""
    name, build = 'the programs come without the tests', installed.root / 'b'
    ok, log = run([meson, 'setup', build, ROOT, '-Dtests=disabled'])
    if ok:
        ok, log = run([meson, 'introspect', '--installed', build])
    missing = [program.name for program in installed.programs()
               if f'/{program.name}"' not in log]
    tap.report(ok and not missing, name, f'{log}\nmissing: {missing}')


def check(installed, meson, compilers, tap):
    check_files(installed, tap)
    check_symbols(installed, tap)
    check_without_tests(installed, meson, tap)
    check_cmake(installed, tap)
    check_consumer(installed, CONSUMER, 'libdaxlock.so', compilers, tap)
    installed.drop_shared()
    check_consumer(installed, CONSUMER, 'libdaxlock.a', compilers, tap)
    check_consumer(installed, EXPLORER, 'libdaxlock-explore.a', compilers, tap)


def main(build, meson, pkg_config, words):
    split = words.index('--')
    compilers = {'c11': words[:split], 'c++17': words[split + 1:]}
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        ok, log = run([meson, 'install', '-C', build, '--destdir', folder])
        tap.report(ok, 'meson install', log)
        if ok:
            check(Installed(Path(folder), pkg_config), meson, compilers, tap)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:4], sys.argv[4:]))
