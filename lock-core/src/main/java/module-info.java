/**
 * Distributed locks: the API that applications call, the SPI that stores implement, and the engine between them.
 */
@org.jspecify.annotations.NullMarked
module io.distributedlock.core {

	requires org.slf4j;
	requires static transitive org.jspecify;

	exports io.distributedlock;
	exports io.distributedlock.engine;
	exports io.distributedlock.spi;

}
