/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

struct text text_in(char *buffer, size_t size)
{
	if (size)
		*buffer = '\0';
	return (struct text){.buffer = buffer, .size = size};
}

void text_add(struct text *text, const char *format, ...)
{
	const bool fits = text->length < text->size;
	va_list arguments;
	int added;

	va_start(arguments, format);
	added = vsnprintf(fits ? text->buffer + text->length : NULL,
		fits ? text->size - text->length : 0, format, arguments);
	va_end(arguments);
	text->length += added > 0 ? (size_t)added : 0;
}
