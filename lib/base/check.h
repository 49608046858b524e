/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Assertions. Caller bugs abort in checked builds; the world's failures return
 * an errno in every build.
 *
 * DAX_REQUIRE() states a precondition of a public function and stands in its
 * first lines. DAX_INVARIANT() states what this library promises itself. Both
 * are compiled in every build, so that they cannot rot, and evaluated only in
 * checked ones: no side effects in them.
 */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

#ifndef DAX_CHECKED
#ifdef NDEBUG
#define DAX_CHECKED 0
#else
#define DAX_CHECKED 1
#endif
#endif

struct check_site {
	const char *kind;
	const char *what;
	const char *function;
	const char *file;
	int line;
};

/* Says what is wrong and which locks this thread holds, then aborts; under the
 * explorer it ends the execution, and the report says it. */
_Noreturn void check_abort(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
_Noreturn void check_failed(const struct check_site *site);

#define CHECK_OR_ABORT(kind_, cond)                                            \
	do {                                                                   \
		if (DAX_CHECKED && !(cond))                                    \
			check_failed(&(const struct check_site){               \
				kind_, #cond, __func__, __FILE__, __LINE__});  \
	} while (0)

#define DAX_REQUIRE(cond)   CHECK_OR_ABORT("caller broke a precondition", cond)
#define DAX_INVARIANT(cond) CHECK_OR_ABORT("daxlock broke an invariant", cond)

#endif
