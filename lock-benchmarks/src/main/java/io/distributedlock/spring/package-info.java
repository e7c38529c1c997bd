/**
 * A door of the benchmarks into the package of the interceptor, whose parts are not
 * public.
 */
@NullMarked
package io.distributedlock.spring;

import org.jspecify.annotations.NullMarked;
