# SPDX-License-Identifier: BSD-3-Clause
"""The manual says all there is to say, and renders. TAP.

    man_test.py PAGES PROGRAM...

PAGES has man1, man3 and man7, as built.
"""
import re
import shutil
import subprocess
import sys
from pathlib import Path

from source_tree import ROOT, read

sys.path.append(str(ROOT / 'doc' / 'man'))
from kerneldoc import read_header  # noqa: E402
from man import PARAMETER  # noqa: E402

OPTION = re.compile(r'(?<![\w-])--[a-z]+(?:-[a-z]+)*')
# "man 3 name" in a page; what is not ours
REFERENCE = re.compile(r'^\.BR "?([\w.-]+) \((\d)\)|^\.RB \( ([\w-]+) \((\d)\)',
                       re.MULTILINE)
FOREIGN = {'gdb(1)'}


def headers():
    return sorted((ROOT / 'include' / 'daxlock').glob('*.h'))


def pages(folder):
    return sorted(path for path in folder.glob('man?/*')
                  if not path.read_text(encoding='utf-8').startswith('.so '))


# ---- completeness ----

def every_export_has_a_page(folder, _programs):
    text = re.sub(r'/\*.*?\*/', '', read('lib/daxlock.map'), flags=re.DOTALL)
    names = re.findall(r'^\t(dax_\w+);', text, re.MULTILINE)
    yield from [] if names else ['lib/daxlock.map: no names found']
    for name in names:
        if not (folder / 'man3' / f'{name}.3').exists():
            yield f'{name}: no comment of kernel-doc form in its header'


def every_header_has_a_page(folder, _programs):
    for path in headers():
        if not (folder / 'man3' / f'daxlock_{path.stem}.3').exists():
            yield f'{path.name}: no comment "DOC: daxlock/{path.name} - ..."'


def comments_fit_their_code(_folder, _programs):
    for path in headers():
        for doc in read_header(path):
            yield from (f'{path.name}: {problem}' for problem in misfits(doc))


def misfits(doc):
    if doc.kind == 'unknown':
        yield f'no "name - purpose": {doc.name!r}'
    elif doc.kind == 'function':
        if not doc.functions or doc.functions[0].name != doc.name:
            yield f'{doc.name}(): another declaration follows'
            return
        names = [PARAMETER.search(argument)[0]
                 for argument in doc.functions[0].arguments
                 if argument not in ('void', '...')]
        if doc.arguments and list(doc.arguments) != names:
            yield f'{doc.name}(): describes {list(doc.arguments)}, has {names}'
    elif doc.kind in ('struct', 'enum'):
        for names in doc.arguments:
            for name in names.split(', '):
                if not re.search(rf'\b{name}\b', doc.code):
                    yield f'{doc.kind} {doc.name}: has no {name}'


def every_option_is_in_the_page(folder, programs):
    for program in programs:
        path = folder / 'man1' / f'{Path(program).name}.1'
        if not path.exists():
            yield f'{path.name}: no such page'
            continue
        shown = subprocess.run([program, '--help'], check=True, text=True,
                               stdout=subprocess.PIPE).stdout
        text = path.read_text(encoding='utf-8')
        options = text.partition('.SH OPTIONS')[2].partition('.SH EXIT')[0]
        told = set(OPTION.findall(options.replace('\\-', '-')))
        known = {'--help', *OPTION.findall(shown)}
        yield from (f'{path.name}: says nothing of {option}'
                    for option in sorted(known - told))
        yield from (f'{path.name}: {option} is not in --help'
                    for option in sorted(told - known))


def references_lead_somewhere(folder, _programs):
    for path in pages(folder):
        for found in REFERENCE.finditer(path.read_text(encoding='utf-8')):
            name, section = found[1] or found[3], found[2] or found[4]
            if not (folder / f'man{section}' / f'{name}.{section}').exists() \
                    and f'{name}({section})' not in FOREIGN:
                yield f'{path.name}: {name}({section}) does not exist'


# ---- rendering ----

def formatted_by(command):
    """A check that @command has nothing to say of any page."""
    def check(folder, _programs):
        done = subprocess.run([*command, *pages(folder)], cwd=folder,
                              stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.STDOUT, check=False)
        yield from done.stdout.splitlines()
        if done.returncode and not done.stdout:
            yield f'exit status {done.returncode}'
    return check


CHECKS = {
    'every exported function has a page': every_export_has_a_page,
    'every header has a page': every_header_has_a_page,
    'comments fit their code': comments_fit_their_code,
    'every option is in its page': every_option_is_in_the_page,
    'references lead somewhere': references_lead_somewhere,
    'groff has no complaint': formatted_by(['groff', '-man', '-ww', '-z']),
    'mandoc has no complaint': formatted_by(
        ['mandoc', '-Tlint', '-W', 'warning']),
}


def main(folder, programs):
    failed = False
    for number, (name, check) in enumerate(CHECKS.items(), 1):
        tool = name.split()[0]
        if tool in ('groff', 'mandoc') and not shutil.which(tool):
            print(f'ok {number} - {name} # SKIP no {tool}')
            continue
        problems = list(check(Path(folder), programs))
        failed = failed or bool(problems)
        print('not ok' if problems else 'ok', f'{number} - {name}')
        for problem in problems:
            print('#', problem)
    print(f'1..{len(CHECKS)}')
    return int(failed)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1], sys.argv[2:]))
