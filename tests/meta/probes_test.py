# SPDX-License-Identifier: BSD-3-Clause
"""Each tracepoint is a USDT probe of the library, and doc/*.bt use no others.

    probes_test.py READELF LIBRARY yes|no

"no": the library was built without <sys/sdt.h>, and has none.
"""
import re
import subprocess
import sys

from source_tree import ROOT, read, verdict

NOTE = re.compile(r'Provider: (\S+)\s+Name: (\S+)\s+Location: \S+, '
                  r'Base: \S+, Semaphore: (\S+)\s+Arguments: ([^\n]*)')
# In a table of C, and in a script.
NAME = re.compile(r'\[DAX_TRACE_\w+\]\s*=\s*"(\w+)"')
# bpftrace has names for six arguments on x86-64, and no more.
BEYOND = re.compile(r'\barg(?:[6-9]|\d\d)')
USED = re.compile(r'usdt:\S+?:daxlock:(\w+)')
FIELDS = {'grab_mapping_entry': 4, 'unmap_mapping_pages': 3,
          'dax_writeback_range': 3, 'dax_writeback_range_done': 3,
          'dax_writeback_one': 3}
FIELDS_OF_A_FAULT = 9


def probes(readelf, library):
    """{name: (arguments, semaphore)} of the library's probes."""
    notes = subprocess.run([readelf, '--notes', '--wide', library],
                           capture_output=True, text=True, check=True).stdout
    return {name: (len(arguments.split()), int(semaphore, 16))
            for provider, name, semaphore, arguments in NOTE.findall(notes)
            if provider == 'daxlock'}


def compare(found, names):
    for name in sorted(found.keys() ^ names):
        yield f'{name}: ' + ('a probe, and no tracepoint' if name in found
                             else 'a tracepoint, and no probe')
    for name in sorted(found.keys() & names):
        fields = FIELDS.get(name, FIELDS_OF_A_FAULT)
        if found[name][0] != fields:
            yield f'{name}: {found[name][0]} arguments, not {fields}'
    # A semaphore of 0 is none.
    semaphores = {semaphore for _, semaphore in found.values()}
    if found and (len(semaphores) != 1 or 0 in semaphores):
        yield 'the probes have not one semaphore'


def main(readelf, library, built):
    names = set(NAME.findall(read('lib/trace/format.c')))
    found = probes(readelf, library)
    problems = list(compare(found, names if built == 'yes' else set()))
    scripts = sorted((ROOT / 'doc').glob('*.bt'))
    for script in scripts:
        text = script.read_text(encoding='utf-8')
        used = USED.findall(text)
        if not used:
            problems.append(f'{script.name}: no probe of ours')
        problems += [f'{script.name}: there is no {argument}'
                     for argument in BEYOND.findall(text)]
        problems += [f'{script.name}: {name} is no tracepoint'
                     for name in used if name not in names]
    if not scripts:
        problems.append('doc/*.bt: there is none')
    verdict(problems, (len(names), 'tracepoints'))


if __name__ == '__main__':
    main(*sys.argv[1:])
