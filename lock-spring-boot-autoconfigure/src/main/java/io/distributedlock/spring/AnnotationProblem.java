package io.distributedlock.spring;

/**
 * What is wrong with one attribute; {@link LockOperationParser} adds where it is and
 * throws {@link InvalidDistributedLockException}.
 */
final class AnnotationProblem extends RuntimeException {

	private static final long serialVersionUID = 1L;

	private final String problem;

	private final String action;

	AnnotationProblem(String problem, String action) {
		super(problem);
		this.problem = problem;
		this.action = action;
	}

	String problem() {
		return this.problem;
	}

	String action() {
		return this.action;
	}

}
