/* SPDX-License-Identifier: BSD-3-Clause */
/* Lock a page of a file, give it storage, unlock it. */
#include <daxlock.h>

int main(void)
{
	struct dax_mapping *m;
	dax_entry_t entry;

	if (dax_mapping_new(NULL, &m))
		return 1;
	if (!dax_grab_mapping_entry(m, 0x202, DAX_PTE_ORDER, &entry)) {
		dax_insert_entry(m, 0x202, &entry, 0x8e02, DAX_DIRTY);
		/* ... the page is ours: nobody else gets past the lock ... */
		dax_unlock_entry(m, 0x202, entry);
	}
	dax_mapping_delete(&m);
	return 0;
}
