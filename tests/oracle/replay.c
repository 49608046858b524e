/* SPDX-License-Identifier: BSD-3-Clause */
/* daxlock-replay: runs a scenario and prints what a real kernel would do. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

enum exit_code {
	EXIT_DONE = 0,
	EXIT_TROUBLE = 1,
	EXIT_WRONG_USE = 2,
};

static const char usage[] =
	"usage: daxlock-replay [--profile 6.12|6.1] [--fs-dax] FILE.sc\n"
	"\n"
	"Runs the file and memory operations of FILE on an emulated DAX file\n"
	"system, and prints what a kernel of that profile does at each step:\n"
	"tracepoints, the file's entries, the page table. With --fs-dax the\n"
	"tracepoints look as in the kernel's trace file.\n";

static struct line split_words(char *text)
{
	struct line line = {.nr = 0};
	char *rest = NULL;

	for (char *word = strtok_r(text, " \t\n", &rest);
		word && line.nr < WORDS_MAX;
		word = strtok_r(NULL, " \t\n", &rest))
		line.words[line.nr++] = word;
	return line;
}

/* False: the line is no operation. */
static bool run_line(struct machine *machine, char *text)
{
	struct line line;

	text[strcspn(text, "\r\n")] = '\0';
	if (!text[strspn(text, " \t")])
		return true;
	if (*text == '#') {
		puts(text);
		return true;
	}
	printf("> %s\n", text);
	line = split_words(text);
	return operation_run(machine, &line);
}

static enum exit_code run_lines(struct machine *machine, FILE *scenario)
{
	char *text = NULL;
	size_t room = 0;
	unsigned int nr = 1;
	bool right = true;

	for (; right && getline(&text, &room, scenario) > 0; nr += right)
		right = run_line(machine, text);
	free(text);
	if (right)
		return EXIT_DONE;
	fflush(stdout);
	fprintf(stderr, "daxlock-replay: line %u cannot be run\n", nr);
	return EXIT_WRONG_USE;
}

/* What must hold after any scenario. */
static enum exit_code check(struct machine *machine)
{
	const char *wrong = dax_fs_verify(machine->fs);

	if (!wrong)
		wrong = dax_mm_verify(machine->mm);
	if (!wrong)
		return EXIT_DONE;
	fprintf(stderr, "daxlock-replay: afterwards, %s\n", wrong);
	return EXIT_TROUBLE;
}

/* What the command line says. */
struct wishes {
	const struct dax_profile *profile;
	enum event_form form;
};

static enum exit_code replay(const struct wishes *wishes, FILE *scenario)
{
	struct machine machine;
	enum exit_code code;
	const int error = machine_new(&machine, wishes->profile);

	if (error) {
		fprintf(stderr, "daxlock-replay: no device: %s\n",
			strerror(-error));
		return EXIT_TROUBLE;
	}
	machine.form = wishes->form;
	code = run_lines(&machine, scenario);
	if (code == EXIT_DONE)
		code = check(&machine);
	machine_delete(&machine);
	return code;
}

static enum exit_code replay_file(const struct wishes *wishes, const char *path)
{
	FILE *scenario = fopen(path, "r");
	enum exit_code code;

	if (!scenario) {
		perror(path);
		return EXIT_WRONG_USE;
	}
	code = replay(wishes, scenario);
	fclose(scenario);
	return code;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"profile", required_argument, NULL, 'p'},
		{"fs-dax", no_argument, NULL, 'f'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct wishes wishes = {.profile = dax_profile_find(NULL)};
	bool wrong = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'h') {
			fputs(usage, stdout);
			return EXIT_DONE;
		}
		if (option == 'p')
			wishes.profile = dax_profile_find(optarg);
		else if (option == 'f')
			wishes.form = EVENTS_FS_DAX;
		wrong |= option == '?' || !wishes.profile;
	}
	if (wrong || optind != argc - 1) {
		fputs(usage, stderr);
		return EXIT_WRONG_USE;
	}
	return replay_file(&wishes, argv[optind]);
}
