/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The threads of one test. They begin their work together, and record what
 * they find wrong; the test's own thread waits for them, and asserts.
 *
 *   static void work(struct crew_member *me)
 *   {
 *           struct thing *thing = me->shared;
 *
 *           crew_check(me, thing_works(thing, me->number));
 *   }
 *   ...
 *   struct crew crew;
 *
 *   crew_start(&crew, 3, work, &thing);
 *   crew_assert_content(&crew);
 */
#ifndef SUPPORT_CREW_H
#define SUPPORT_CREW_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "support/cmocka.h"

#define CREW_MAX 16

struct crew;

struct crew_member {
	unsigned int number; /* 0, 1, ... */
	void *shared;
	const char *wrong; /* owner until joined; the first complaint */
	pthread_t thread;
	struct crew *crew;
};

struct crew {
	unsigned int size;
	void (*work)(struct crew_member *me);
	pthread_barrier_t start;
	struct crew_member members[CREW_MAX];
};

void crew_start(struct crew *crew, unsigned int size,
	void (*work)(struct crew_member *me), void *shared);

/* When all are done: the first complaint, or NULL. */
const char *crew_join(struct crew *crew);

static inline void crew_complain(struct crew_member *me, const char *wrong)
{
	if (!me->wrong)
		me->wrong = wrong;
}

#define CREW_TEXT(x) #x
#define CREW_LINE(x) CREW_TEXT(x)
#define crew_check(me, cond)                                                   \
	((cond) ? (void)0                                                      \
		: crew_complain(                                               \
			  me, __FILE__ ":" CREW_LINE(__LINE__) ": " #cond))

#define crew_assert_content(crew)                                              \
	do {                                                                   \
		const char *wrong_ = crew_join(crew);                          \
                                                                               \
		if (wrong_)                                                    \
			fail_msg("%s", wrong_);                                \
	} while (0)

/* Order by observation: runs others until @cond holds. */
#define crew_await(cond)                                                       \
	do {                                                                   \
		while (!(cond))                                                \
			sched_yield();                                         \
	} while (0)

#endif
