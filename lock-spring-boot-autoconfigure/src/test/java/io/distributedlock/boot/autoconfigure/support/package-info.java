/**
 * What the tests of several packages share.
 */
package io.distributedlock.boot.autoconfigure.support;
