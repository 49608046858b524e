# SPDX-License-Identifier: BSD-3-Clause
"""Leaves only our own prefix global in the static libraries just installed.

    localize.py LIBDIR OBJCOPY AR C_COMPILER... -- LIBRARY...

An archive has no hidden symbols: without this, a program that has a
table_find() of its own could not link. Makes one object of each library and
its other names local. For meson.add_install_script().
"""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

# The second are for those who look for data races.
GLOBAL = ('dax_*', '__tsan_*')


def localize(library, objcopy, archiver, compiler):
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / f'{library.stem}.o'
        subprocess.run([*compiler, '-r', '-nostdlib', '-o', whole,
                        '-Wl,--whole-archive', library], check=True)
        subprocess.run([objcopy, '--wildcard',
                        *(f'--keep-global-symbol={name}' for name in GLOBAL),
                        whole], check=True)
        library.unlink()
        subprocess.run([archiver, 'rcs', library, whole], check=True)


def main(libdir, objcopy, archiver, words):
    split = words.index('--')
    prefix = os.environ['MESON_INSTALL_DESTDIR_PREFIX']
    for name in words[split + 1:]:
        library = Path(prefix, libdir, name)
        # default_library may be shared.
        if library.exists():
            localize(library, objcopy, archiver, words[:split])


if __name__ == '__main__':
    main(*sys.argv[1:4], sys.argv[4:])
