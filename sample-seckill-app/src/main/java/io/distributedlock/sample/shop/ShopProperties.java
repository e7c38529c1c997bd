package io.distributedlock.sample.shop;

import java.time.Duration;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * How the shop behaves.
 *
 * @param pause Time that an order takes between reading the stock and writing it, as if a
 * payment service were asked.
 */
@ConfigurationProperties("seckill")
record ShopProperties(@DefaultValue("0") Duration pause) {
}
