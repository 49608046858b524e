/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/death.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void child(void (*deed)(void *with), void *with, int words)
{
	const struct rlimit no_core = {0};

	dup2(words, STDERR_FILENO);
	setrlimit(RLIMIT_CORE, &no_core);
	signal(SIGABRT, SIG_DFL);
	deed(with);
	_exit(0);
}

struct death death_of(void (*deed)(void *with), void *with)
{
	const int words = memfd_create("last-words", MFD_CLOEXEC);
	struct death death = {0};
	int status;
	pid_t pid;

	if (words < 0)
		abort();
	pid = fork();
	if (!pid)
		child(deed, with, words);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		abort();
	if (WIFSIGNALED(status))
		death.signal = WTERMSIG(status);
	else
		death.status = WEXITSTATUS(status);
	/* What is not read stays zero, and ends the text. */
	if (pread(words, death.words, sizeof(death.words) - 1, 0) < 0)
		death.words[0] = 0;
	close(words);
	return death;
}
