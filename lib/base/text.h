/* SPDX-License-Identifier: BSD-3-Clause */
/* Text that is put together in a caller's buffer, as by many snprintf(). */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stddef.h>

struct text {
	char *buffer; /* terminated when @size is not 0 */
	size_t size;
	size_t length; /* of the full text, of which what fits is there */
};

/* No text yet. @buffer may be NULL when @size is 0. */
struct text text_in(char *buffer, size_t size);
void text_add(struct text *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
