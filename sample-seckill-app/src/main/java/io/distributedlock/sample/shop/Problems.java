package io.distributedlock.sample.shop;

import java.net.URI;
import java.time.Duration;

import io.distributedlock.LockLostException;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockStoreException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.dao.DataAccessResourceFailureException;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;
import org.springframework.transaction.CannotCreateTransactionException;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import org.springframework.web.servlet.mvc.method.annotation.ResponseEntityExceptionHandler;

/**
 * Answers errors as problem details (RFC 9457). Contention, outage and loss are three
 * different answers, since the client should do three different things.
 */
@RestControllerAdvice
@Order(Ordered.HIGHEST_PRECEDENCE)
class Problems extends ResponseEntityExceptionHandler {

	private static final Logger log = LoggerFactory.getLogger(Problems.class);

	private static final Duration SOON = Duration.ofSeconds(1);

	private static final Duration LATER = Duration.ofSeconds(5);

	@ExceptionHandler
	ResponseEntity<ProblemDetail> refused(ShopException ex) {
		if (ex instanceof ShopException.StaleToken) {
			log.warn("The database refused a write: {}", ex.getMessage());
			return problem(HttpStatus.CONFLICT, "stale-token", "Refused by the fence", ex);
		}
		if (ex instanceof ShopException.SoldOut) {
			return problem(HttpStatus.CONFLICT, "sold-out", "Sold out", ex);
		}
		if (ex instanceof ShopException.BoughtAlready) {
			return problem(HttpStatus.CONFLICT, "bought-already", "Bought already", ex);
		}
		return problem(HttpStatus.NOT_FOUND, "unknown-product", "Unknown product", ex);
	}

	@ExceptionHandler
	ResponseEntity<ProblemDetail> invalid(InvalidRequestException ex) {
		return problem(HttpStatus.BAD_REQUEST, "invalid-request", "Invalid request", ex);
	}

	/**
	 * Contention: the same request may succeed a moment later. Who could not have been
	 * served in time was told so at once, and has cost next to nothing.
	 */
	@ExceptionHandler
	ResponseEntity<ProblemDetail> busy(LockNotAcquiredException ex) {
		boolean shed = ex.reason() == LockNotAcquiredException.Reason.PREDICTED_TIMEOUT;
		return retryable(shed ? "shed" : "busy", "Too many buyers", ex, SOON);
	}

	/** Outage of the lock store. */
	@ExceptionHandler
	ResponseEntity<ProblemDetail> outage(LockStoreException ex) {
		log.warn("No lock, no sale", ex);
		return retryable("lock-store-unavailable", "Locks are unavailable", ex, LATER);
	}

	/** Loss: the order was rolled back; a later holder may have sold meanwhile. */
	@ExceptionHandler
	ResponseEntity<ProblemDetail> lost(LockLostException ex) {
		log.warn("An order was rolled back", ex);
		return problem(HttpStatus.CONFLICT, "lock-lost", "The lock was lost, the order was not made", ex);
	}

	@ExceptionHandler({ CannotCreateTransactionException.class, DataAccessResourceFailureException.class })
	ResponseEntity<ProblemDetail> noDatabase(RuntimeException ex) {
		log.warn("The database is unavailable", ex);
		return retryable("database-unavailable", "The database is unavailable", ex, LATER);
	}

	@ExceptionHandler(RuntimeException.class)
	ResponseEntity<ProblemDetail> unexpected(RuntimeException ex) {
		log.error("Unexpected failure", ex);
		return problem(HttpStatus.INTERNAL_SERVER_ERROR, "unexpected", "Unexpected failure",
				new IllegalStateException("See the log of the instance."));
	}

	private static ResponseEntity<ProblemDetail> retryable(String type, String title, RuntimeException ex,
			Duration after) {
		ResponseEntity<ProblemDetail> problem = problem(HttpStatus.SERVICE_UNAVAILABLE, type, title, ex);
		return ResponseEntity.status(problem.getStatusCode())
			.header(HttpHeaders.RETRY_AFTER, Long.toString(after.toSeconds()))
			.body(problem.getBody());
	}

	private static ResponseEntity<ProblemDetail> problem(HttpStatus status, String type, String title,
			RuntimeException ex) {
		ProblemDetail detail = ProblemDetail.forStatusAndDetail(status, String.valueOf(ex.getMessage()));
		detail.setType(URI.create("urn:seckill:" + type));
		detail.setTitle(title);
		return ResponseEntity.status(status).body(detail);
	}

}
