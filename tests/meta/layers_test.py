# SPDX-License-Identifier: BSD-3-Clause
"""A file of lib/ includes only its own layer and those before it.

The order is the list `layers` in lib/meson.build. A public header belongs to
the layer of its name (daxlock/entry.h to entry), or to the layer that has a
source of its name (daxlock/device.h, lib/pmem/device.c), or to the one named
in PUBLIC below; daxlock.h is above them all and not for lib/. liburcu is for
base alone, libpmem2 for pmem alone, and public headers include neither.
"""
import re

from source_tree import ROOT, blank_comments, c_files, read, verdict

# Public headers that are named after no layer and no source, or after a source
# of another layer, too.
PUBLIC = {'attributes.h': 'base', 'kernel_iomap.h': 'kernel',
          'kernel_wait.h': 'kernel', 'kernel_xarray.h': 'kernel',
          'order.h': 'base', 'sync.h': 'explore'}

# Layers that may see less than everything before them. They need not be in the
# list, being libraries of their own; then no layer of the list sees them.
ONLY = {'explore': {'base', 'explore'}}

# The seam chooses its implementation: the one include that goes up.
SEAM = {('lib/base/sync.h', 'explore/sync_explore.h')}

# Where a foreign header may be included.
FOREIGN = (
    (re.compile(r'^(?:urcu|lttng/urcu)\b'), 'base', 'liburcu'),
    (re.compile(r'^libpmem2?\b'), 'pmem', 'libpmem2'),
)

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"\n]+)[>"]',
                     re.MULTILINE)


def read_layers():
    found = re.search(r'^layers\s*=\s*\[(.*?)\]', read('lib/meson.build'),
                      re.DOTALL | re.MULTILINE)
    if not found:
        raise SystemExit("lib/meson.build has no 'layers = [...]'")
    text = re.sub(r'#[^\n]*', '', found[1])
    return re.findall(r"'([^']+)'", text)


class Layers:
    def __init__(self, names):
        self.names = names + [name for name in ONLY if name not in names]

    def allows(self, includer, included):
        if includer in ONLY:
            return included in ONLY[includer]
        return self.names.index(included) <= self.names.index(includer)

    def of_public(self, header):
        noun = header[:-2]
        if noun in self.names:
            return noun
        if header in PUBLIC:
            return PUBLIC[header]
        for layer in self.names:
            if (ROOT / 'lib' / layer / f'{noun}.c').exists():
                return layer
        return None

    def of_include(self, path, name):
        """(layer, None) of an included @name of ours, (None, complaint), or
        (None, None) for a header of somebody else."""
        if name == 'daxlock.h':
            return None, 'includes every layer; name the header you need'
        if name.startswith('daxlock/'):
            layer = self.of_public(name.removeprefix('daxlock/'))
            return layer, None if layer else \
                f'{name} belongs to no layer; see PUBLIC in layers_test.py'
        first = name.split('/')[0]
        if '/' in name and first in self.names:
            return first, None
        if '/' in name and (ROOT / 'lib' / name).exists():
            return None, f'{first} is not in the list of layers'
        if (ROOT / path.parent / name).exists():
            return None, f'write "{path.parent.name}/{name}", from lib/'
        return None, None


def check(path, layer, layers):
    """Complaints about the includes of @path, a file of @layer."""
    text = blank_comments(read(path))
    for found in INCLUDE.finditer(text):
        name = found[1]
        where = f'{path}:{text.count(chr(10), 0, found.start()) + 1}'
        for pattern, home, library in FOREIGN:
            if pattern.match(name) and \
                    (layer != home or path.parts[0] == 'include'):
                yield f'{where}: {library} is included only in lib/{home}'
        other, complaint = layers.of_include(path, name)
        if complaint:
            yield f'{where}: {complaint}'
        elif other and not layers.allows(layer, other) and \
                (str(path), name) not in SEAM:
            yield f'{where}: {layer} includes {name} of {other}, ' \
                  f'a layer above it'


def main():
    layers = Layers(read_layers())
    problems = []
    files = [path for path in c_files('lib', 'include')
             if str(path) != 'include/daxlock.h']
    for path in files:
        if path.parts[0] == 'lib':
            layer = path.parts[1]
            if len(path.parts) < 3 or layer not in layers.names:
                problems.append(f'{path}: not in the folder of a layer')
                continue
        else:
            layer = layers.of_public(path.name)
            if layer is None:
                problems.append(f'{path}: belongs to no layer; '
                                f'see PUBLIC in layers_test.py')
                continue
        problems += check(path, layer, layers)
    verdict(problems, (len(files), 'files'))


if __name__ == '__main__':
    main()
