/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whom a wake-up wakes: it asks each sleeper's function in the order of the
 * queue, and stops when so many exclusive ones are awake. And who is woken
 * before it sleeps does not sleep.
 */
#include <string.h>

#include <daxlock/kernel.h>

#include "support/crew.h"

#define SLEEPERS_MAX 4

/* A letter for each sleeper, in order of arrival: a capital is exclusive. */
struct scenario {
	const char *sleepers;
	int nr_exclusive;
	const char *key;   /* letters whose functions agree; NULL: all */
	const char *asked; /* in this order */
	const char *woken;
};

struct sleeper {
	wait_queue_entry_t wait;
	char letter;
	pthread_t thread;
};

static struct {
	wait_queue_head_t queue;
	struct sleeper sleepers[SLEEPERS_MAX];
	atomic_uint queued; /* have joined the queue */
	char asked[16];	    /* guarded by the lock of @queue */
	char woken[16];
} scene;

static void append(char *text, char letter)
{
	const size_t length = strlen(text);

	text[length] = letter;
	text[length + 1] = '\0';
}

static int wake_by_letter(
	wait_queue_entry_t *wait, unsigned int mode, int flags, void *key)
{
	const char letter = container_of(wait, struct sleeper, wait)->letter;
	int woken = 0;

	append(scene.asked, letter);
	if (!key || strchr(key, letter))
		woken = autoremove_wake_function(wait, mode, flags, key);
	if (woken)
		append(scene.woken, letter);
	return woken;
}

static void *sleep_once(void *argument)
{
	struct sleeper *me = argument;

	init_wait(&me->wait);
	me->wait.func = wake_by_letter;
	if (me->letter < 'a')
		prepare_to_wait_exclusive(
			&scene.queue, &me->wait, TASK_UNINTERRUPTIBLE);
	else
		prepare_to_wait(&scene.queue, &me->wait, TASK_INTERRUPTIBLE);
	atomic_fetch_add(&scene.queued, 1);
	schedule();
	finish_wait(&scene.queue, &me->wait);
	return NULL;
}

static void start(const char *letters)
{
	for (unsigned int i = 0; letters[i]; i++) {
		struct sleeper *sleeper = &scene.sleepers[i];

		sleeper->letter = letters[i];
		assert_int_equal(pthread_create(&sleeper->thread, NULL,
					 sleep_once, sleeper),
			0);
		crew_await(atomic_load(&scene.queued) == i + 1);
	}
}

static void end(const char *letters)
{
	wake_up_all(&scene.queue);
	for (unsigned int i = 0; letters[i]; i++)
		pthread_join(scene.sleepers[i].thread, NULL);
	assert_false(waitqueue_active(&scene.queue));
}

static void play(const struct scenario *scenario)
{
	char asked[16];
	char woken[16];

	memset(&scene, 0, sizeof(scene));
	start(scenario->sleepers);
	__wake_up(&scene.queue, TASK_NORMAL, scenario->nr_exclusive,
		(void *)scenario->key);
	strcpy(asked, scene.asked);
	strcpy(woken, scene.woken);
	end(scenario->sleepers);
	assert_string_equal(asked, scenario->asked);
	assert_string_equal(woken, scenario->woken);
}

static void a_wake_up_asks_in_order_until_enough_are_awake(void **state)
{
	static const struct scenario scenarios[] = {
		{"", 1, NULL, "", ""},
		{"ABC", 1, NULL, "A", "A"},
		{"ABC", 2, NULL, "AB", "AB"},
		{"ABC", 0, NULL, "ABC", "ABC"},
		/* Those that are not exclusive come first and do not count. */
		{"AbC", 1, NULL, "bA", "bA"},
		{"ab", 1, NULL, "ba", "ba"},
		/* Who is not woken does not count either. */
		{"ABC", 1, "B", "AB", "B"},
		{"ABC", 1, "C", "ABC", "C"},
		{"ABC", 1, "x", "ABC", ""},
		{"ABC", 0, "AC", "ABC", "AC"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++)
		play(&scenarios[i]);
}

static void who_is_awake_is_not_woken_again(void **state)
{
	DEFINE_WAIT_FUNC(stays, default_wake_function);

	(void)state;
	memset(&scene, 0, sizeof(scene));
	assert_true(prepare_to_wait_exclusive(
		&scene.queue, &stays, TASK_UNINTERRUPTIBLE));
	assert_int_equal(
		default_wake_function(&stays, TASK_NORMAL, 0, NULL), 1);
	assert_int_equal(
		default_wake_function(&stays, TASK_NORMAL, 0, NULL), 0);
	/* It is still on the queue, unlike others. */
	assert_true(waitqueue_active(&scene.queue));
	finish_wait(&scene.queue, &stays);
	assert_false(waitqueue_active(&scene.queue));
}

static void a_mode_that_does_not_fit_wakes_nobody(void **state)
{
	DEFINE_WAIT(wait);

	(void)state;
	memset(&scene, 0, sizeof(scene));
	prepare_to_wait(&scene.queue, &wait, TASK_UNINTERRUPTIBLE);
	__wake_up(&scene.queue, TASK_INTERRUPTIBLE, 1, NULL);
	assert_true(waitqueue_active(&scene.queue));
	__wake_up(&scene.queue, TASK_UNINTERRUPTIBLE, 1, NULL);
	assert_false(waitqueue_active(&scene.queue));
	finish_wait(&scene.queue, &wait);
}

/* These would sleep for ever if they slept. */
static void who_is_woken_before_it_sleeps_does_not(void **state)
{
	DEFINE_WAIT(wait);

	(void)state;
	memset(&scene, 0, sizeof(scene));
	prepare_to_wait(&scene.queue, &wait, TASK_UNINTERRUPTIBLE);
	wake_up(&scene.queue);
	schedule();
	/* Nor does who is about nothing. */
	schedule();
	finish_wait(&scene.queue, &wait);
	schedule();
	prepare_to_wait(&scene.queue, &wait, TASK_UNINTERRUPTIBLE);
	finish_wait(&scene.queue, &wait);
	schedule();
}

static void the_queue_says_whether_it_was_empty(void **state)
{
	DEFINE_WAIT(wait);

	(void)state;
	memset(&scene, 0, sizeof(scene));
	assert_true(prepare_to_wait_exclusive(
		&scene.queue, &wait, TASK_UNINTERRUPTIBLE));
	assert_false(prepare_to_wait_exclusive(
		&scene.queue, &wait, TASK_UNINTERRUPTIBLE));
	finish_wait(&scene.queue, &wait);
	assert_false(waitqueue_active(&scene.queue));
}

static atomic_bool event;

static void wait_or_wake(struct crew_member *me)
{
	if (me->number) {
		wait_event(scene.queue, atomic_load(&event));
		crew_check(me, atomic_load(&event));
	} else {
		atomic_store(&event, true);
		wake_up_all(&scene.queue);
	}
}

static void an_event_is_waited_for(void **state)
{
	struct crew crew;

	(void)state;
	for (unsigned int i = 0; i < 100; i++) {
		memset(&scene, 0, sizeof(scene));
		atomic_store(&event, false);
		crew_start(&crew, 3, wait_or_wake, NULL);
		crew_assert_content(&crew);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_wake_up_asks_in_order_until_enough_are_awake),
		cmocka_unit_test(who_is_awake_is_not_woken_again),
		cmocka_unit_test(a_mode_that_does_not_fit_wakes_nobody),
		cmocka_unit_test(who_is_woken_before_it_sleeps_does_not),
		cmocka_unit_test(the_queue_says_whether_it_was_empty),
		cmocka_unit_test(an_event_is_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
