/**
 * A flash sale that does not oversell: the sample application of the project.
 */
@NullMarked
package io.distributedlock.sample;

import org.jspecify.annotations.NullMarked;
