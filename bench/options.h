/* SPDX-License-Identifier: BSD-3-Clause */
/* What the command line said. */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct options {
	bool json;
	bool quick;	   /* less of everything: rough figures */
	unsigned int reps; /* of each subject, at most REPS_MAX */
	uint64_t seed;	   /* of every random choice */
	uint64_t memory;   /* bytes that the subjects of a case may take */
	const char *dir;   /* of the file of the bench access, or NULL */
	const char *plot;  /* where charts are wanted, or NULL */
	const char *only;  /* part of the names of the cases wanted, or NULL */
};

#endif
