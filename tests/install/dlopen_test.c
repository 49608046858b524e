/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A program that learns of the library late, as one does that has plug-ins or
 * is an interpreter: dlopen() finds room for the library's thread-local
 * variables and liburcu's, and a thread that was in the library ends safely
 * after dlclose().
 *
 *   dlopen_test LIBRARY
 */
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

#include <daxlock/mapping.h>

struct visit {
	void *library;
	sem_t used;
	sem_t closed;
};

static void require(bool right, const char *what)
{
	if (right)
		return;
	fprintf(stderr, "%s\n", what);
	exit(EXIT_FAILURE);
}

static void *find(const struct visit *visit, const char *name)
{
	void *function = dlsym(visit->library, name);

	require(function, name);
	return function;
}

/* Registers this thread with liburcu, and gives nodes to it. */
static void use(const struct visit *visit)
{
	__typeof__(dax_mapping_new) *make = find(visit, "dax_mapping_new");
	__typeof__(dax_grab_mapping_entry) *grab =
		find(visit, "dax_grab_mapping_entry");
	__typeof__(dax_unlock_entry) *unlock = find(visit, "dax_unlock_entry");
	__typeof__(dax_delete_mapping_entry) *drop =
		find(visit, "dax_delete_mapping_entry");
	__typeof__(dax_mapping_delete) *delete =
		find(visit, "dax_mapping_delete");
	struct dax_mapping *m;
	dax_entry_t entry;

	require(!make(NULL, &m), "no mapping");
	require(!grab(m, 5, DAX_PTE_ORDER, &entry), "no entry");
	unlock(m, 5, entry);
	require(drop(m, 5) == 1, "no entry to drop");
	delete (&m);
}

static void *use_and_end_late(void *argument)
{
	struct visit *visit = argument;

	use(visit);
	sem_post(&visit->used);
	sem_wait(&visit->closed);
	return NULL;
}

int main(int argc, char **argv)
{
	struct visit visit;
	pthread_t thread;

	require(argc == 2, "usage: dlopen_test LIBRARY");
	visit.library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
	require(visit.library, "cannot be loaded");
	sem_init(&visit.used, 0, 0);
	sem_init(&visit.closed, 0, 0);
	require(!pthread_create(&thread, NULL, use_and_end_late, &visit),
		"no thread");
	sem_wait(&visit.used);
	dlclose(visit.library);
	sem_post(&visit.closed);
	require(!pthread_join(thread, NULL), "the thread did not end");
	return EXIT_SUCCESS;
}
