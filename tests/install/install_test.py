# SPDX-License-Identifier: BSD-3-Clause
"""The installed library serves a stranger who has only pkg-config. TAP.

    install_test.py BUILD_ROOT MESON PKG_CONFIG C_COMPILER... -- [CXX...]

Installs into a temporary folder, compares the installed headers with
include/daxlock, then builds and runs consumer.c in C and in C++, with the
shared library, and with the static one when there is one.
"""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from source_tree import ROOT, c_files

CONSUMER = ROOT / 'tests' / 'install' / 'consumer.c'


class Tap:
    def __init__(self):
        self.number = 0
        self.failed = False

    def report(self, ok, name, log=''):
        self.number += 1
        self.failed = self.failed or not ok
        print(f"{'ok' if ok else 'not ok'} {self.number} - {name}")
        for line in log.splitlines():
            print('#', line)

    def skip(self, name, why):
        self.number += 1
        print(f'ok {self.number} - {name} # SKIP {why}')


def run(command, **keywords):
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True,
                            stderr=subprocess.STDOUT, check=False, **keywords)
    words = ' '.join(str(word) for word in command)
    return result.returncode == 0, f'$ {words}\n{result.stdout}'


class Installed:
    """The tree that `meson install` left in @root."""

    def __init__(self, root, pkg_config):
        self.root = root
        self.pkg_config = pkg_config
        self.libraries = next(root.rglob('daxlock.pc')).parents[1]
        # What we require is the system's; ours alone comes from @root.
        system = subprocess.run(
            [pkg_config, '--variable=pc_path', 'pkg-config'], check=True,
            stdout=subprocess.PIPE, text=True).stdout.strip()
        self.environment = dict(
            os.environ, PKG_CONFIG_SYSROOT_DIR=str(root),
            PKG_CONFIG_LIBDIR=f"{self.libraries / 'pkgconfig'}:{system}")
        self.environment.pop('PKG_CONFIG_PATH', None)

    def headers(self):
        include = next(self.root.rglob('include'))
        return {str(path.relative_to(include))
                for path in include.rglob('*') if path.is_file()}

    def has(self, pattern):
        return any(self.libraries.glob(pattern))

    def drop_shared(self):
        for path in self.libraries.glob('libdaxlock.so*'):
            path.unlink()

    def try_consumer(self, compiler, language, standard, static):
        flags = subprocess.run(
            [self.pkg_config, *(['--static'] if static else []), '--cflags',
             '--libs', 'daxlock'], env=self.environment, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if flags.returncode:
            return False, flags.stdout
        program = self.root / 'consumer'
        ok, log = run([*compiler, f'-std={standard}', '-Wall', '-Wextra',
                       '-Werror', '-x', language, CONSUMER, '-x', 'none',
                       '-o', program, *flags.stdout.split()])
        if not ok:
            return ok, log
        environment = dict(os.environ, LD_LIBRARY_PATH=str(self.libraries))
        ok, output = run([program], env=environment)
        return ok and 'empty entry at 7' in output, log + output


def check(installed, languages, tap):
    wanted = {str(path.relative_to('include')) for path in c_files('include')}
    found = installed.headers()
    tap.report(found == wanted, 'every public header and no other',
               f'missing {sorted(wanted - found)}, '
               f'private {sorted(found - wanted)}'
               if found != wanted else '')
    for kind, pattern in (('shared', 'libdaxlock.so'),
                          ('static', 'libdaxlock.a')):
        for language, standard, compiler in languages:
            name = f'consumer as {standard}, {kind}'
            if not installed.has(pattern):
                tap.skip(name, f'no {pattern} in this build')
            elif not compiler:
                tap.skip(name, f'no {language} compiler')
            else:
                ok, log = installed.try_consumer(
                    compiler, language, standard, kind == 'static')
                tap.report(ok, name, '' if ok else log)
        installed.drop_shared()


def main(build, meson, pkg_config, words):
    split = words.index('--')
    languages = (('c', 'c11', words[:split]),
                 ('c++', 'c++17', words[split + 1:]))
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        ok, log = run([meson, 'install', '-C', build, '--destdir', folder])
        tap.report(ok, 'meson install', '' if ok else log)
        if ok:
            check(Installed(Path(folder), pkg_config), languages, tap)
    print(f'1..{tap.number}')
    return int(tap.failed)


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:4], sys.argv[4:]))
