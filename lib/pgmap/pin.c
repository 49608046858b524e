/* SPDX-License-Identifier: BSD-3-Clause */
/* Pins that say whose they are: a list beside the pages, for those who ask. */
#include <inttypes.h>

#include "base/text.h"
#include "pgmap/pgmap.h"

struct pin {
	struct pin *next;     /* guarded by pins->lock */
	struct pin *previous; /* guarded by pins->lock */
	uint64_t pfn;	      /* const while listed */
	uint64_t since_ns;    /* const while listed */
	const char *holder;   /* const while listed */
	uint64_t thread;      /* const while listed */
	enum dax_pin_term term;
};

static struct pin *pin_of(struct dax_pin *pin)
{
	_Static_assert(sizeof(struct pin) <= sizeof(*pin), "fits");
	return (struct pin *)pin;
}

void pins_init(struct pins *pins)
{
	sync_lock_init(&pins->lock, RANK_LEAF);
}

static void list_pin(struct pins *pins, struct pin *pin)
{
	sync_lock_acquire(&pins->lock);
	pin->since_ns = sync_now();
	pin->next = NULL;
	pin->previous = pins->last;
	*(pins->last ? &pins->last->next : &pins->first) = pin;
	pins->last = pin;
	sync_lock_release(&pins->lock);
}

static void unlist_pin(struct pins *pins, struct pin *pin)
{
	sync_lock_acquire(&pins->lock);
	*(pin->previous ? &pin->previous->next : &pins->first) = pin->next;
	*(pin->next ? &pin->next->previous : &pins->last) = pin->previous;
	sync_lock_release(&pins->lock);
}

void pin_name(struct dax_pgmap *pgmap, struct dax_pin *opaque, uint64_t pfn,
	enum dax_pin_term term, const char *holder)
{
	struct pin *pin = pin_of(opaque);

	*pin = (struct pin){
		.pfn = pfn,
		.holder = holder,
		.thread = sync_thread_id(),
		.term = term,
	};
	list_pin(&pgmap->pins, pin);
}

bool dax_pin_get(struct dax_pgmap *pgmap, struct dax_pin *pin, uint64_t pfn,
	enum dax_pin_term term, const char *holder)
{
	DAX_REQUIRE(pgmap && pin && holder);
	if (!dax_page_try_get(pgmap, pfn))
		return false;
	pin_name(pgmap, pin, pfn, term, holder);
	return true;
}

void dax_pin_put(struct dax_pgmap *pgmap, struct dax_pin *opaque)
{
	struct pin *pin = pin_of(opaque);

	DAX_REQUIRE(pgmap && opaque);
	/* G3: the list is the device's. */
	if (leaves_list_first())
		unlist_pin(&pgmap->pins, pin);
	page_put_pin(pgmap, pin->pfn);
	if (!leaves_list_first())
		unlist_pin(&pgmap->pins, pin);
}

static void describe_pin(
	struct text *text, const struct pin *pin, uint64_t now_ns)
{
	const uint64_t ms = (now_ns - pin->since_ns) / 1000000;

	text_add(text,
		"pfn 0x%" PRIx64 ": %s pin of \"%s\", thread %" PRIu64
		", %" PRIu64 ".%03" PRIu64 " s\n",
		pin->pfn, pin->term == DAX_PIN_SHORT ? "short" : "long-term",
		pin->holder, pin->thread, ms / 1000, ms % 1000);
}

size_t dax_pgmap_describe_pins(struct dax_pgmap *pgmap, uint64_t first,
	uint64_t last, char *buffer, size_t size)
{
	struct text text;
	uint64_t now_ns;

	DAX_REQUIRE(pgmap && (buffer || !size));
	text = text_in(buffer, size);
	sync_lock_acquire(&pgmap->pins.lock);
	now_ns = sync_now();
	for (const struct pin *pin = pgmap->pins.first; pin; pin = pin->next)
		if (pin->pfn >= first && pin->pfn <= last)
			describe_pin(&text, pin, now_ns);
	sync_lock_release(&pgmap->pins.lock);
	return text.length;
}
