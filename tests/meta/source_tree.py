# SPDX-License-Identifier: BSD-3-Clause
"""What the checks of tests/meta share: files, C text, and a verdict."""
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

C_TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'',
    re.DOTALL)


def blank_comments(text, strings=False):
    """@text with comments (and strings) as spaces: same lines, same columns."""
    def blank(match):
        token = match[0]
        if token.startswith('/') or strings:
            return re.sub(r'[^\n]', ' ', token)
        return token
    return C_TOKEN.sub(blank, text)


def read(path):
    return (ROOT / path).read_text(encoding='utf-8')


def c_files(*folders):
    """Paths of .c and .h files below @folders, relative to the root."""
    return sorted(path.relative_to(ROOT)
                  for folder in folders
                  for path in (ROOT / folder).rglob('*.[ch]'))


def source_files():
    """All files that belong to the source: tracked, or new and not ignored;
    without git, everything outside build folders."""
    git = subprocess.run(['git', '-C', str(ROOT), 'ls-files', '-z', '--cached',
                          '--others', '--exclude-standard'],
                         capture_output=True, check=False) \
        if (ROOT / '.git').exists() and shutil.which('git') else None
    if git is not None and git.returncode == 0:
        names = [Path(name) for name in git.stdout.decode().split('\0') if name]
    else:
        names = [path.relative_to(ROOT) for path in ROOT.rglob('*')]
        names = [name for name in names
                 if not any(part.startswith(('build', '.git'))
                            for part in name.parts)]
    return sorted({name for name in names
                   if (ROOT / name).is_file()
                   and not (ROOT / name).is_symlink()})


def verdict(problems, checked):
    """Prints @problems; exits 0 when there are none and something was
    @checked (a count, with its noun), 1 otherwise."""
    for problem in problems:
        print(problem)
    count, noun = checked
    print(f'{count} {noun} checked, {len(problems)} problems')
    if not count:
        print('nothing to check: the check itself is broken')
    sys.exit(1 if problems or not count else 0)
