package io.distributedlock.sample.load;

import java.net.URI;
import java.util.List;

import org.springframework.context.ApplicationListener;
import org.springframework.boot.web.server.context.WebServerInitializedEvent;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.servlet.mvc.method.annotation.SseEmitter;

/**
 * Load runs over HTTP.
 */
@RestController
@RequestMapping("/api/runs")
class RunController implements ApplicationListener<WebServerInitializedEvent> {

	private final LoadRunner runner;

	private final RunProgress progress;

	private volatile URI self = URI.create("http://127.0.0.1:8080");

	RunController(LoadRunner runner, RunProgress progress) {
		this.runner = runner;
		this.progress = progress;
	}

	@Override
	public void onApplicationEvent(WebServerInitializedEvent event) {
		if (event.getApplicationContext().getServerNamespace() == null) {
			this.self = URI.create("http://127.0.0.1:" + event.getWebServer().getPort());
		}
	}

	@PostMapping
	ResponseEntity<RunView> start(@RequestBody RunRequest.Body body) {
		LoadRun run = this.runner.start(body.toRequest(this.self));
		return ResponseEntity.created(URI.create("/api/runs/" + run.id())).body(this.runner.view(run));
	}

	@GetMapping
	List<RunView> recent() {
		return this.runner.recent().stream().map(this.runner::view).toList();
	}

	@GetMapping(path = "/{id}", produces = MediaType.APPLICATION_JSON_VALUE)
	RunView run(@PathVariable String id) {
		return this.runner.view(find(id));
	}

	@GetMapping(path = "/{id}", produces = MediaType.TEXT_EVENT_STREAM_VALUE)
	SseEmitter follow(@PathVariable String id) {
		return this.progress.follow(find(id));
	}

	@DeleteMapping("/{id}")
	RunView cancel(@PathVariable String id) {
		LoadRun run = find(id);
		run.cancel();
		return this.runner.view(run);
	}

	private LoadRun find(String id) {
		return this.runner.find(id).orElseThrow(() -> new UnknownRunException(id));
	}

	@ExceptionHandler
	ResponseEntity<ProblemDetail> inProgress(RunInProgressException ex) {
		return problem(HttpStatus.CONFLICT, "run-in-progress", "A run is under way", ex);
	}

	@ExceptionHandler
	ResponseEntity<ProblemDetail> unknown(UnknownRunException ex) {
		return problem(HttpStatus.NOT_FOUND, "unknown-run", "Unknown run", ex);
	}

	private static ResponseEntity<ProblemDetail> problem(HttpStatus status, String type, String title,
			RuntimeException ex) {
		ProblemDetail detail = ProblemDetail.forStatusAndDetail(status, String.valueOf(ex.getMessage()));
		detail.setType(URI.create("urn:seckill:" + type));
		detail.setTitle(title);
		return ResponseEntity.status(status).contentType(MediaType.APPLICATION_PROBLEM_JSON).body(detail);
	}

	/**
	 * This instance knows no such run.
	 */
	static final class UnknownRunException extends RuntimeException {

		private static final long serialVersionUID = 1L;

		UnknownRunException(String id) {
			super("This instance knows no run '" + id + "'. Runs are kept until it ends, the last 20 of them.");
		}

	}

}
