/*
 * gmond_strings.c - keeps Ganglia's gmond 3.7.2 alive: a library for LD_PRELOAD.
 *
 * That release, the one of Debian 12, keeps strings from sFlow (the system's name and
 * version, its UUID) as numbers of 32 bits, and dies of the address that is left when
 * it prints them (its issue 246, mended in 2016, never released). Every agent that
 * sends host_descr kills it so. Here such a string is printed as "?"; all else is
 * gmond's.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Of libapr, which gmond has loaded, and of which this library needs no more. */
int apr_vsnprintf(char *text, size_t size, const char *format, va_list args);
int apr_snprintf(char *text, size_t size, const char *format, ...);

/* Takes the place of libapr's. */
int
apr_snprintf(char *text, size_t size, const char *format, ...)
{
	va_list args, copy;
	int len;

	va_start(args, format);
	va_copy(copy, args);
	/* A position independent program has nothing at addresses that low. */
	if (strcmp(format, "%s") == 0 && va_arg(copy, uintptr_t) <= UINT32_MAX)
		format = "?";
	len = apr_vsnprintf(text, size, format, args);
	va_end(copy);
	va_end(args);
	return len;
}
