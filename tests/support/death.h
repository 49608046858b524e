/* SPDX-License-Identifier: BSD-3-Clause */
/* Deeds that must end the process: each is done in a child of its own. */
#ifndef SUPPORT_DEATH_H
#define SUPPORT_DEATH_H

#include <stddef.h>

struct death {
	int signal;	  /* that ended the child; 0: none did */
	int status;	  /* its exit status; 0: it lived through the deed */
	char words[2048]; /* what it said on stderr, cut off if long */
};

/* What becomes of a child that does @deed. No cmocka asserts in @deed. */
struct death death_of(void (*deed)(void *with), void *with);

#define assert_aborts(deed, with)                                              \
	assert_int_equal(death_of(deed, with).signal, SIGABRT)

#define assert_lives(deed, with)                                               \
	do {                                                                   \
		const struct death death_ = death_of(deed, with);              \
                                                                               \
		assert_int_equal(death_.signal, 0);                            \
		assert_int_equal(death_.status, 0);                            \
	} while (0)

/* The deed aborts, and says @text. */
#define assert_aborts_with(deed, with, text)                                   \
	do {                                                                   \
		const struct death death_ = death_of(deed, with);              \
                                                                               \
		assert_int_equal(death_.signal, SIGABRT);                      \
		if (!strstr(death_.words, text))                               \
			fail_msg("said \"%s\", not \"%s\"", death_.words,      \
				text);                                         \
	} while (0)

#endif
