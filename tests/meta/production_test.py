# SPDX-License-Identifier: BSD-3-Clause
"""The production library knows nothing of the explorer: no symbol, section or
string of it names one, and each of its objects comes out the same, byte by
byte, from a source tree in which there is no explorer.

    production_test.py BUILD_ROOT [SHARED_LIBRARY]

Skipped with sanitizers, which put names of files into the objects, and with
link-time optimisation, which leaves none.
"""
import json
import os
import re
import shlex
import struct
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from source_tree import ROOT, verdict

SHF_ALLOC = 2
SHT_NOBITS = 8
SKIPPED = 77  # to meson
OBJECT = re.compile(r'lib/libdaxlock\.(so[.0-9]*|a)\.p/.*\.o')


def sections(path):
    """(name, flags, size, contents) of each section of a 64-bit ELF file."""
    data = Path(path).read_bytes()
    order = '<' if data[5] == 1 else '>'
    start, = struct.unpack_from(order + 'Q', data, 0x28)
    size, count, names = struct.unpack_from(order + 'HHH', data, 0x3a)
    headers = [struct.unpack_from(order + 'IIQQQQ', data, start + i * size)
               for i in range(count)]
    strings = headers[names][4]
    for name, kind, flags, _, offset, length in headers:
        end = data.index(b'\0', strings + name)
        contents = b'' if kind == SHT_NOBITS else data[offset:offset + length]
        yield (data[strings + name:end].decode(), flags, length, contents)


def loaded(path):
    """What of an object gets into memory. Not names and debug information,
    which say where it was compiled."""
    return [(name, size, contents)
            for name, flags, size, contents in sections(path)
            if flags & SHF_ALLOC]


def traces(path):
    """Names of sections in which there is a trace of the explorer."""
    for name, flags, _, contents in sections(path):
        names = name in ('.symtab', '.strtab', '.dynstr', '.shstrtab')
        if (flags & SHF_ALLOC or names) and b'explore' in contents:
            yield name


def without_explorer(root):
    """A source tree under @root like ours but for lib/explore."""
    (root / 'lib').mkdir()
    (root / 'include').symlink_to(ROOT / 'include')
    for layer in (ROOT / 'lib').iterdir():
        if layer.name != 'explore':
            (root / 'lib' / layer.name).symlink_to(layer)
    return root


def recompile(entry, tree, target):
    """Compiles what @entry of compile_commands.json does, from @tree."""
    source = Path(entry['file'])
    absolute = Path(os.path.normpath(Path(entry['directory']) / source))
    prefix = str(source)[:-len(str(absolute.relative_to(ROOT))) - 1]
    words = [re.sub(rf'^(-I)?{re.escape(prefix)}/(lib|include)(?=/|$)',
                    rf'\1{tree}/\2', word)
             for word in shlex.split(entry['command'])]
    for option in '-o', '-MF':
        if option in words:
            words[words.index(option) + 1] = str(target) + option
    words.append(f'-ffile-prefix-map={tree}={prefix}')
    subprocess.run(words, cwd=entry['directory'], check=True)
    return str(target) + '-o'


def differs(entry, tree, target):
    built = Path(entry['directory']) / entry['output']
    return loaded(built) != loaded(recompile(entry, tree, target))


def main(build, *libraries):
    entries = [entry for entry in json.loads(
        (Path(build) / 'compile_commands.json').read_text(encoding='utf-8'))
        if OBJECT.fullmatch(entry['output'])]
    if any(re.search(r'\s-f(sanitize=|lto)', entry['command'])
           for entry in entries):
        sys.exit(SKIPPED)
    objects = [str(Path(build) / entry['output']) for entry in entries]
    problems = [f'{path}: the explorer is in {name}'
                for path in [*objects, *libraries] for name in traces(path)]
    with tempfile.TemporaryDirectory() as folder, \
            ThreadPoolExecutor(os.cpu_count()) as pool:
        tree = without_explorer(Path(folder))
        different = pool.map(
            lambda job: differs(job[1], tree, tree / str(job[0])),
            enumerate(entries))
        problems += [f'{entry["output"]}: is another without lib/explore'
                     for entry, differ in zip(entries, different) if differ]
    verdict(problems, (len(entries), 'objects'))


if __name__ == '__main__':
    main(*sys.argv[1:])
