/* SPDX-License-Identifier: BSD-3-Clause */
/* Who has locked what, and who waits for it: as text. */
#include <inttypes.h>

#include "base/text.h"
#include "mapping/mapping.h"

struct dump {
	struct text text;
	uint64_t now_ns;
};

static void add_duration(struct dump *dump, uint64_t since_ns)
{
	/* Who began after the dump did: 0. */
	const uint64_t ms = dump->now_ns > since_ns
				    ? (dump->now_ns - since_ns) / 1000000
				    : 0;

	text_add(&dump->text, " for %" PRIu64 ".%03" PRIu64 " s", ms / 1000,
		ms % 1000);
}

static void add_locked(struct dump *dump, const struct dax_mapping *m,
	dax_pgoff_t index, uint64_t word)
{
	const struct dax_wait_key key = entry_key(m, index, word);
	struct stats_holder holder;
	char decoded[80];

	dax_entry_decode(word, DAX_WORD_DAXLOCK, decoded, sizeof(decoded));
	text_add(&dump->text, "index 0x%" PRIx64 ": %s", key.index, decoded);
	if (mapping_counts(m) && stats_holder(m->stats, &key, &holder)) {
		text_add(&dump->text, ", by thread %" PRIu64, holder.thread);
		add_duration(dump, holder.since_ns);
	}
	text_add(&dump->text, "\n");
}

/* Under the lock of its queue. */
static void add_sleeper(const struct waiter *waiter, void *context)
{
	struct dump *dump = context;

	text_add(&dump->text, "index 0x%" PRIx64 ": ", waiter->key.index);
	if (waiter->sleeps) {
		text_add(&dump->text, "thread %" PRIu64 " sleeps",
			waiter->thread);
		add_duration(dump, waiter->since_ns);
	} else {
		text_add(&dump->text, "a thread sleeps");
	}
	text_add(&dump->text, "%s\n",
		waiter->mode == DAX_WAIT_SHARED ? ", for any wake" : "");
}

size_t dax_mapping_dump(struct dax_mapping *m, char *buffer, size_t size)
{
	struct dump dump = {.text = text_in(buffer, size)};
	struct dax_xas xas;
	uint64_t word;

	DAX_REQUIRE(m && (buffer || !size));
	dump.now_ns = sync_now();
	dax_xas_init(&xas, &m->tree, 0, UINT64_MAX);
	dax_xas_for_each (&xas, word)
		if (word_is_locked(word))
			add_locked(&dump, m, xas.index, word);
	waitq_table_each(m->waitqs, m, add_sleeper, &dump);
	return dump.text.length;
}
