/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A file system's fault handlers with the kernel's names: its blocks come into
 * page tables, and its errors out of faults.
 */
#include <stdlib.h>
#include <string.h>

#include <daxlock/fault.h>
#include <daxlock/kernel.h>

#include "support/cmocka.h"

#define PMD_BYTES (PAGE_SIZE << PMD_ORDER)

/* A file of two PMDs on a device of as much; block @first is its first. Has
 * nothing until it is written to. */
struct my_file {
	struct inode inode;
	struct vm_area_struct vma;
	char *memory;
	u64 first;
	u64 len; /* of what a begin tells; 0: all */
	u16 type;
	u16 new;
	int begin_error;
	unsigned int begun;
	unsigned int ended;
	unsigned int flags; /* of the last begin */
};

static struct my_file *my_file(struct inode *inode)
{
	return inode->i_private;
}

static int my_iomap_begin(struct inode *inode, int64_t pos, int64_t length,
	unsigned int flags, struct iomap *iomap, struct iomap *srcmap)
{
	struct my_file *file = my_file(inode);

	(void)pos;
	(void)length;
	(void)srcmap;
	file->flags = flags;
	if (file->begin_error)
		return file->begin_error;
	file->begun++;
	if (flags & IOMAP_WRITE)
		file->type = IOMAP_MAPPED;
	/* All there is, not only what was asked for. */
	iomap->offset = 0;
	iomap->length = file->len ? file->len : (u64)inode->i_size;
	iomap->type = file->type;
	iomap->flags = file->new;
	iomap->addr = file->type == IOMAP_HOLE ? IOMAP_NULL_ADDR
					       : file->first * PAGE_SIZE;
	return 0;
}

static int my_iomap_end(struct inode *inode, int64_t pos, int64_t length,
	int64_t written, unsigned int flags, struct iomap *iomap)
{
	struct my_file *file = my_file(inode);

	(void)pos;
	file->ended += written == length && flags == file->flags &&
		       iomap->type == file->type;
	return 0;
}

static const struct iomap_ops my_iomap_ops = {
	.iomap_begin = my_iomap_begin,
	.iomap_end = my_iomap_end,
};

static int setup(void **state)
{
	struct my_file *file = calloc(1, sizeof(*file));

	assert_non_null(file);
	file->memory = aligned_alloc(PAGE_SIZE, 2 * PMD_BYTES);
	assert_non_null(file->memory);
	memset(file->memory, 'm', 2 * PMD_BYTES);
	file->inode = (struct inode){
		.i_ino = 1, .i_size = 2 * PMD_BYTES, .i_private = file};
	assert_int_equal(dax_kernel_inode_init(&file->inode, &my_iomap_ops,
				 file->memory, 2 * PMD_BYTES),
		0);
	file->vma = (struct vm_area_struct){
		.vm_inode = &file->inode, .vm_flags = VM_SHARED | VM_WRITE};
	assert_int_equal(dax_kernel_mmap(&file->vma, 2 * PMD_BYTES), 0);
	*state = file;
	return 0;
}

static int teardown(void **state)
{
	struct my_file *file = *state;

	assert_null(dax_mm_verify(file->vma.vm_mm));
	assert_int_equal(file->begun, file->ended);
	dax_kernel_munmap(&file->vma);
	dax_kernel_inode_fini(&file->inode);
	free(file->memory);
	free(file);
	return 0;
}

#define IOMAP_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static vm_fault_t fault(struct my_file *file, unsigned long page,
	unsigned int flags, unsigned int order)
{
	struct vm_fault vmf = {
		.vma = &file->vma,
		.flags = flags,
		.pgoff = page,
		.address = file->vma.vm_start + page * PAGE_SIZE,
	};

	return dax_iomap_fault(&vmf, order, NULL, NULL, &my_iomap_ops);
}

static unsigned int leaf_at(struct my_file *file, unsigned long page)
{
	struct dax_leaf leaf;

	dax_mm_leaf(
		file->vma.vm_mm, file->vma.vm_start + page * PAGE_SIZE, &leaf);
	return leaf.flags;
}

static void a_store_shows_a_block(void **state)
{
	struct my_file *file = *state;

	assert_int_equal(fault(file, 1, FAULT_FLAG_WRITE, 0), VM_FAULT_NOPAGE);
	assert_int_equal(file->flags, IOMAP_FAULT | IOMAP_DAX | IOMAP_WRITE);
	assert_int_equal(leaf_at(file, 1),
		DAX_LEAF_PRESENT | DAX_LEAF_WRITE | DAX_LEAF_DIRTY);
	assert_int_equal(leaf_at(file, 0), 0);
	assert_int_equal(dax_store(file->vma.vm_mm,
				 file->vma.vm_start + PAGE_SIZE + 5, "x", 1),
		0);
	assert_int_equal(file->memory[PAGE_SIZE + 5], 'x');
}

static void a_load_of_a_hole_shows_zeros(void **state)
{
	struct my_file *file = *state;
	char byte = 'n';

	assert_int_equal(fault(file, 1, 0, 0), VM_FAULT_NOPAGE);
	assert_int_equal(file->flags, IOMAP_FAULT | IOMAP_DAX);
	assert_int_equal(leaf_at(file, 1), DAX_LEAF_PRESENT | DAX_LEAF_ZERO);
	assert_int_equal(dax_load(file->vma.vm_mm,
				 file->vma.vm_start + PAGE_SIZE, &byte, 1),
		0);
	assert_int_equal(byte, 0);
}

static void a_huge_fault_shows_a_huge_page(void **state)
{
	struct my_file *file = *state;

	assert_int_equal(
		fault(file, 3, FAULT_FLAG_WRITE, PMD_ORDER), VM_FAULT_NOPAGE);
	assert_true(leaf_at(file, 0) & DAX_LEAF_PMD);
	/* Again: somebody was faster. */
	assert_int_equal(
		fault(file, 3, FAULT_FLAG_WRITE, PMD_ORDER), VM_FAULT_NOPAGE);
}

static void what_cannot_be_huge_falls_back(void **state)
{
	struct my_file *file = *state;

	file->first = 1;
	assert_int_equal(
		fault(file, 0, FAULT_FLAG_WRITE, PMD_ORDER), VM_FAULT_FALLBACK);
	assert_int_equal(leaf_at(file, 0), 0);
	assert_int_equal(fault(file, 0, FAULT_FLAG_WRITE, 0), VM_FAULT_NOPAGE);
	assert_int_equal(fault(file, 0, 0, PUD_ORDER), VM_FAULT_FALLBACK);
	assert_int_equal(fault(file, 0, 0, 1), VM_FAULT_FALLBACK);
}

static void a_short_piece_falls_back(void **state)
{
	struct my_file *file = *state;

	file->len = PMD_BYTES - PAGE_SIZE;
	assert_int_equal(
		fault(file, 0, FAULT_FLAG_WRITE, PMD_ORDER), VM_FAULT_FALLBACK);
	file->len = PMD_BYTES;
	assert_int_equal(
		fault(file, 0, FAULT_FLAG_WRITE, PMD_ORDER), VM_FAULT_NOPAGE);
}

static void a_new_block_makes_a_major_fault(void **state)
{
	struct my_file *file = *state;

	file->new = IOMAP_F_NEW;
	assert_int_equal(fault(file, 0, FAULT_FLAG_WRITE, 0),
		VM_FAULT_NOPAGE | VM_FAULT_MAJOR);
}

static void a_map_that_begins_within_a_huge_page_has_the_next(void **state)
{
	struct my_file *file = *state;

	dax_kernel_munmap(&file->vma);
	file->vma.vm_pgoff = 1;
	assert_int_equal(
		dax_kernel_mmap(&file->vma, 2 * PMD_BYTES - PAGE_SIZE), 0);
	assert_int_equal(
		fault(file, (1 << PMD_ORDER) - 1, FAULT_FLAG_WRITE, PMD_ORDER),
		VM_FAULT_NOPAGE);
	assert_int_equal(
		fault(file, 0, FAULT_FLAG_WRITE, PMD_ORDER), VM_FAULT_FALLBACK);
}

static void the_page_and_the_error_are_told(void **state)
{
	struct my_file *file = *state;
	struct vm_fault vmf = {
		.vma = &file->vma,
		.flags = FAULT_FLAG_WRITE,
		.address = file->vma.vm_start,
	};
	pfn_t pfn = 0;
	int error = 0;

	file->first = 2;
	file->begin_error = -ENOSPC;
	assert_int_equal(dax_iomap_fault(&vmf, 0, &pfn, &error, &my_iomap_ops),
		VM_FAULT_SIGBUS);
	assert_int_equal(error, -ENOSPC);
	/* Nobody is asked past the end. */
	file->inode.i_size = 0;
	assert_int_equal(dax_iomap_fault(&vmf, 0, &pfn, &error, &my_iomap_ops),
		VM_FAULT_SIGBUS);
	assert_int_equal(error, 0);
	file->inode.i_size = 2 * PMD_BYTES;
	file->begin_error = 0;
	assert_int_equal(dax_iomap_fault(&vmf, 0, &pfn, &error, &my_iomap_ops),
		VM_FAULT_NOPAGE);
	assert_int_equal(error, 0);
	assert_int_equal(pfn, 2);
}

static void a_block_outside_the_device_is_an_error(void **state)
{
	struct my_file *file = *state;

	file->first = 2 << PMD_ORDER;
	assert_int_equal(fault(file, 0, FAULT_FLAG_WRITE, 0), VM_FAULT_SIGBUS);
}

static void what_is_past_the_end_is_an_error(void **state)
{
	struct my_file *file = *state;

	file->inode.i_size = PAGE_SIZE;
	assert_int_equal(fault(file, 1, 0, 0), VM_FAULT_SIGBUS);
	assert_int_equal(fault(file, 0, 0, 0), VM_FAULT_NOPAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IOMAP_TEST(a_store_shows_a_block),
		IOMAP_TEST(a_load_of_a_hole_shows_zeros),
		IOMAP_TEST(a_huge_fault_shows_a_huge_page),
		IOMAP_TEST(what_cannot_be_huge_falls_back),
		IOMAP_TEST(a_short_piece_falls_back),
		IOMAP_TEST(a_new_block_makes_a_major_fault),
		IOMAP_TEST(a_map_that_begins_within_a_huge_page_has_the_next),
		IOMAP_TEST(the_page_and_the_error_are_told),
		IOMAP_TEST(a_block_outside_the_device_is_an_error),
		IOMAP_TEST(what_is_past_the_end_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
