// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * leaky.c - a module that forgets what it allocates
 *
 * Every few milliseconds it allocates BATCH buffers, BATCH objects of a cache of its
 * own and BATCH blocks of pages, and frees them. The parameter leak, which can be
 * written at any time, names one of the three (kmalloc, object, pages) of which it
 * then forgets the last of each batch; none: it forgets nothing. What it holds on
 * purpose, a pool that fills up and is then full, is no leak.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

enum { BATCH = 4, BUFFER = 700, OBJECT = 200, ORDER = 1, POOL = 200, POOLED = 300 };

static char leak[16] = "none";
module_param_string(leak, leak, sizeof(leak), 0644);

static struct kmem_cache *cache;
static struct task_struct *task;
static void *pool[POOL];

static bool forgets(const char *what, int i)
{
	return i == BATCH - 1 && sysfs_streq(leak, what);
}

static noinline void leaky_buffers(void)
{
	void *buffer[BATCH];
	int i;

	for (i = 0; i < BATCH; i++)
		buffer[i] = kmalloc(BUFFER, GFP_KERNEL);
	for (i = 0; i < BATCH; i++)
		if (!forgets("kmalloc", i))
			kfree(buffer[i]);
}

static noinline void leaky_objects(void)
{
	void *object[BATCH];
	int i;

	for (i = 0; i < BATCH; i++)
		object[i] = kmem_cache_alloc(cache, GFP_KERNEL);
	for (i = 0; i < BATCH; i++)
		if (object[i] && !forgets("object", i))
			kmem_cache_free(cache, object[i]);
}

static noinline void leaky_pages(void)
{
	unsigned long block[BATCH];
	int i;

	for (i = 0; i < BATCH; i++)
		block[i] = __get_free_pages(GFP_KERNEL, ORDER);
	for (i = 0; i < BATCH; i++)
		if (!forgets("pages", i))
			free_pages(block[i], ORDER);
}

static noinline void fill_pool(int i)
{
	pool[i] = kmalloc(POOLED, GFP_KERNEL);
}

static int leaky_run(void *unused)
{
	int pooled = 0;

	while (!kthread_should_stop()) {
		leaky_buffers();
		leaky_objects();
		leaky_pages();
		if (pooled < POOL)
			fill_pool(pooled++);
		msleep(4);
	}
	return 0;
}

static int __init leaky_init(void)
{
	cache = kmem_cache_create("leaky_object", OBJECT, 0, SLAB_ACCOUNT, NULL);
	if (!cache)
		return -ENOMEM;
	task = kthread_run(leaky_run, NULL, "leaky");
	if (IS_ERR(task)) {
		kmem_cache_destroy(cache);
		return PTR_ERR(task);
	}
	return 0;
}

module_init(leaky_init);
/* No exit: a cache with forgotten objects cannot be destroyed. */
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("forgets what it allocates");
