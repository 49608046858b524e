/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A program of somebody else's, in the common part of C11 and C++17: finds the
 * installed library by pkg-config alone, locks an entry and unlocks it.
 */
#include <daxlock/mapping.h>

#include <stdio.h>

int main(void)
{
	struct dax_mapping *m;
	dax_entry_t entry;
	int err = dax_mapping_new(NULL, &m);

	if (err)
		return 1;
	err = dax_grab_mapping_entry(m, 7, DAX_PTE_ORDER, &entry);
	if (!err) {
		printf("%s entry at 7\n",
			dax_is_empty_entry(entry) ? "empty" : "full");
		dax_unlock_entry(m, 7, entry);
	}
	dax_mapping_delete(&m);
	return err || m;
}
