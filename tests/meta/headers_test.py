# SPDX-License-Identifier: BSD-3-Clause
"""Each public header compiles alone, as C11 and as C++17. One TAP test each.

    headers_test.py C_COMPILER... -- [CXX_COMPILER...]

No C++ compiler: those are skipped.
"""
import subprocess
import sys

from source_tree import ROOT, c_files

FLAGS = ['-Wall', '-Wextra', '-Werror', '-fsyntax-only', '-I',
         str(ROOT / 'include')]


def compiles(compiler, language, standard, header):
    command = [*compiler, f'-std={standard}', *FLAGS, '-x', language, '-']
    # Twice: the include guard has to work too.
    return subprocess.run(command, input=f'#include <{header}>\n' * 2,
                          capture_output=True, text=True, check=False)


def main(words):
    split = words.index('--')
    languages = (('c', 'c11', words[:split]),
                 ('c++', 'c++17', words[split + 1:]))
    number, bad = 0, False
    for path in c_files('include'):
        header = str(path.relative_to('include'))
        for language, standard, compiler in languages:
            number += 1
            name = f'{number} - {header} as {standard}'
            if not compiler:
                print(f'ok {name} # SKIP no C++ compiler')
                continue
            result = compiles(compiler, language, standard, header)
            print('ok' if not result.returncode else 'not ok', name)
            bad = bad or result.returncode != 0
            for line in result.stderr.splitlines():
                print('#', line)
    if not number:
        print('not ok 1 - no public header found')
        number, bad = 1, True
    print(f'1..{number}')
    return int(bad)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
