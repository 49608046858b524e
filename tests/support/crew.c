/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/crew.h"

#include <stdlib.h>

static void *run(void *argument)
{
	struct crew_member *me = argument;

	pthread_barrier_wait(&me->crew->start);
	me->crew->work(me);
	return NULL;
}

void crew_start(struct crew *crew, unsigned int size,
	void (*work)(struct crew_member *me), void *shared)
{
	if (!size || size > CREW_MAX)
		abort();
	*crew = (struct crew){.size = size, .work = work};
	if (pthread_barrier_init(&crew->start, NULL, size))
		abort();
	for (unsigned int i = 0; i < size; i++) {
		struct crew_member *member = &crew->members[i];

		*member = (struct crew_member){
			.number = i, .shared = shared, .crew = crew};
		if (pthread_create(&member->thread, NULL, run, member))
			abort();
	}
}

const char *crew_join(struct crew *crew)
{
	const char *wrong = NULL;

	for (unsigned int i = 0; i < crew->size; i++) {
		pthread_join(crew->members[i].thread, NULL);
		if (!wrong)
			wrong = crew->members[i].wrong;
	}
	pthread_barrier_destroy(&crew->start);
	crew->size = 0;
	return wrong;
}
