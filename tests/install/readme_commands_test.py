# SPDX-License-Identifier: BSD-3-Clause
"""The commands of README.md work, and print what it says. TAP.

    readme_commands_test.py BUILD_ROOT PKG_CONFIG

Runs each line of a block marked sh, and each line after "$ " of other blocks,
in their order, in a folder that looks like the source and has BUILD_ROOT as
build. What is installed goes to a folder of its own. Output is compared but for
white space, and for numbers, which a change that makes a lock cheaper alters;
a line "..." stands for any number of lines.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from install_test import CONSUMER, EXPLORER, Installed
from source_tree import ROOT, read
from tap import Tap

BLOCK = re.compile(r'^```(\w*)\n(.*?)^```$', re.DOTALL | re.MULTILINE)
LEFT_OUT = {
    'scripts/demo [FILE]': 'builds it all again',
    'scripts/test': 'builds it all again',
    'ldconfig': 'changes the machine',
}
# What they print is up to the machine.
VARIES = {'daxlock-why db'}


def commands(text):
    """(command, what it prints or None) in README's order."""
    for language, block in BLOCK.findall(text):
        if language == 'sh':
            for line in block.splitlines():
                yield re.sub(r'\s+#.*', '', line), None
        elif block.startswith('$ '):
            for part in re.split(r'^\$ ', block, flags=re.MULTILINE)[1:]:
                command, _, output = part.partition('\n')
                yield command, output


def pattern(output):
    """What output is to match."""
    parts = re.split(r'^\.\.\.$', output, flags=re.MULTILINE)
    return re.compile('.*'.join(re.escape(normal(part)) for part in parts))


def normal(text):
    text = re.sub(r'^replay: \S+', 'replay: TOKEN', text, flags=re.MULTILINE)
    return ' '.join(re.sub(r'\b\d[\d.]*\b', 'N', text).split())


class Reader:
    """Somebody who types what README says."""

    def __init__(self, folder, build, pkg_config):
        self.source = folder / 'source'
        self.root = folder / 'installed'
        self.pkg_config = pkg_config
        self.environment = dict(os.environ, DESTDIR=str(self.root))
        self.source.mkdir()
        for path in ROOT.iterdir():
            if not path.name.startswith(('build', '.git')):
                (self.source / path.name).symlink_to(path)
        (self.source / 'build').symlink_to(build)
        shutil.copy(CONSUMER[0], self.source / 'program.c')
        shutil.copy(EXPLORER[0], self.source / 'test.c')
        (self.source / 'db').write_bytes(bytes(1 << 20))

    def find_installed(self):
        installed = Installed(self.root, self.pkg_config)
        self.environment = dict(installed.environment)
        folder = installed.programs()[0].parent
        self.environment['PATH'] = f'{folder}:{os.environ["PATH"]}'

    def run(self, command):
        done = subprocess.run(
            ['bash', '-c', command], cwd=self.source, check=False, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env=self.environment)
        if not done.returncode and command.startswith('meson install'):
            self.find_installed()
        return done.returncode, done.stdout


def check(reader, command, output, tap):
    status, printed = reader.run(command)
    if output is None:
        ok = status == 0
    elif command in VARIES:
        ok = status in (0, 1) and printed
    else:
        ok = pattern(output).fullmatch(normal(printed))
    tap.report(bool(ok), command, f'exit status {status}\n{printed}')


def main(build, pkg_config):
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        reader = Reader(Path(folder), build, pkg_config)
        for command, output in commands(read('README.md')):
            if command in LEFT_OUT:
                tap.skip(command, LEFT_OUT[command])
            else:
                check(reader, command, output, tap)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main(sys.argv[1], sys.argv[2]))
