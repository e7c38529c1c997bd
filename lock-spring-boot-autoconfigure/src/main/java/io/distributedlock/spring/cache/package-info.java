/**
 * Spring's caches whose values are loaded once in the whole cluster: decorators that take
 * a lock for each key that has to be loaded.
 */
@NullMarked
package io.distributedlock.spring.cache;

import org.jspecify.annotations.NullMarked;
