/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hashes of what makes up a state. States whose hashes are equal are taken for
 * one, so all 64 bits are to be good; nobody means to find two.
 *
 * Where the CPU has rounds of AES, one of them takes 16 bytes in half a cycle.
 * A round spreads each byte over four, and the next one these over all; what
 * the last bytes have changed is spread in the end. Elsewhere both halves of a
 * product do that, which take some two cycles.
 */
#include <string.h>

#include "explore/engine.h"

#define SALT_A 0x9e3779b97f4a7c15u
#define SALT_B 0xbf58476d1ce4e5b9u

/* ---- by products ---- */

static inline uint64_t mix(uint64_t a, uint64_t b)
{
	const unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t mix_pair(uint64_t hash, const char *bytes)
{
	uint64_t words[2];

	memcpy(words, bytes, sizeof(words));
	return mix(words[0] ^ SALT_A, words[1] ^ hash);
}

/* Fewer than a pair. */
static inline uint64_t mix_rest(uint64_t hash, const char *bytes, size_t size)
{
	uint64_t words[2] = {0, size};

	for (; size >= sizeof(words[0]); size -= sizeof(words[0])) {
		memcpy(&words[1], bytes, sizeof(words[1]));
		bytes += sizeof(words[1]);
	}
	for (size_t i = 0; i < size; i++)
		words[0] = words[0] << 8 | (unsigned char)bytes[i];
	return mix(words[0] ^ SALT_A, words[1] ^ hash);
}

/* In lanes that do not wait for each other while there is much. */
static uint64_t mix_bytes(uint64_t hash, const char *bytes, size_t size)
{
	uint64_t a = hash ^ size, b = hash, c = hash, d = hash;

	for (; size >= 64; size -= 64, bytes += 64) {
		a = mix_pair(a, bytes);
		b = mix_pair(b, bytes + 16);
		c = mix_pair(c, bytes + 32);
		d = mix_pair(d, bytes + 48);
	}
	hash = mix(a ^ SALT_A, b) ^ mix(c ^ SALT_B, d);
	for (; size >= 16; size -= 16, bytes += 16)
		hash = mix_pair(hash, bytes);
	return size ? mix_rest(hash, bytes, size) : hash;
}

static uint64_t mix_spans(const struct spans *spans)
{
	uint64_t hash = 0;

	for (unsigned int i = 0; i < spans->nr; i++)
		hash = mix_bytes(hash, spans->at[i].address, spans->at[i].size);
	return hash;
}

/* ---- by rounds of AES ---- */

#ifdef __x86_64__
#include <wmmintrin.h>

#define HAS_AES	 __builtin_cpu_supports("aes")
#define WITH_AES static inline __attribute__((target("aes")))

/* Lanes that do not wait for each other: a round takes four cycles, and two
 * begin in each. The last lane has the ends of spans. */
#define LANES 8
#define BLOCK sizeof(__m128i)

WITH_AES __m128i aes_block(const char *bytes)
{
	return _mm_loadu_si128((const __m128i *)(const void *)bytes);
}

/* The next @nr blocks, in lanes from the first on. */
WITH_AES const char *aes_blocks(
	__m128i *lanes, unsigned int nr, const char *bytes)
{
	for (unsigned int l = 0; l < nr; l++, bytes += BLOCK)
		lanes[l] = _mm_aesenc_si128(lanes[l], aes_block(bytes));
	return bytes;
}

/* The last block of @size bytes, part of which may have been taken before. */
WITH_AES __m128i aes_last(const char *bytes, size_t size)
{
	char block[BLOCK] = {0};

	if (size >= BLOCK)
		return aes_block(bytes + size - BLOCK);
	memcpy(block, bytes, size);
	return aes_block(block);
}

WITH_AES void aes_span(__m128i *lanes, const char *bytes, size_t size)
{
	const __m128i last = aes_last(bytes, size);
	const __m128i length = _mm_set1_epi64x((long long)size);

	for (size_t left = size / (LANES * BLOCK); left; left--)
		bytes = aes_blocks(lanes, LANES, bytes);
	if (size & 4 * BLOCK)
		bytes = aes_blocks(lanes, 4, bytes);
	if (size & 2 * BLOCK)
		bytes = aes_blocks(lanes + 4, 2, bytes);
	if (size & BLOCK)
		aes_blocks(lanes + 6, 1, bytes);
	lanes[LANES - 1] = _mm_aesenc_si128(lanes[LANES - 1], last);
	lanes[LANES - 1] = _mm_aesenc_si128(lanes[LANES - 1], length);
}

WITH_AES uint64_t aes_end(const __m128i *lanes)
{
	__m128i all = _mm_set1_epi64x((long long)SALT_B);

	for (unsigned int l = 0; l < LANES; l++)
		all = _mm_aesenc_si128(all, lanes[l]);
	for (unsigned int i = 0; i < 3; i++)
		all = _mm_aesenc_si128(all, lanes[i]);
	return (uint64_t)_mm_cvtsi128_si64(all);
}

static __attribute__((target("aes"))) uint64_t aes_spans(
	const struct spans *spans)
{
	__m128i lanes[LANES];

	for (unsigned int l = 0; l < LANES; l++)
		lanes[l] = _mm_set_epi64x((long long)SALT_A, l);
	for (unsigned int i = 0; i < spans->nr; i++)
		aes_span(lanes, spans->at[i].address, spans->at[i].size);
	return aes_end(lanes);
}

#else

#define HAS_AES	  false
#define aes_spans mix_spans

#endif

uint64_t hash_spans(const struct spans *spans)
{
	return HAS_AES ? aes_spans(spans) : mix_spans(spans);
}
