package io.distributedlock.sample.load;

import java.io.IOException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.beans.factory.DisposableBean;
import org.springframework.stereotype.Component;
import org.springframework.web.servlet.mvc.method.annotation.SseEmitter;

/**
 * Sends the progress of runs as server-sent events: {@code progress} five times a second,
 * {@code result} at the end.
 */
@Component
class RunProgress implements DisposableBean {

	private static final Logger logger = LoggerFactory.getLogger(RunProgress.class);

	private static final long INTERVAL_MILLIS = 200;

	private final LoadRunner runner;

	private final ExecutorService followers = Executors.newCachedThreadPool((task) -> {
		Thread thread = new Thread(task, "run-progress");
		thread.setDaemon(true);
		return thread;
	});

	RunProgress(LoadRunner runner) {
		this.runner = runner;
	}

	SseEmitter follow(LoadRun run) {
		// No timeout: a run ends by itself.
		SseEmitter emitter = new SseEmitter(0L);
		this.followers.execute(() -> send(run, emitter));
		return emitter;
	}

	private void send(LoadRun run, SseEmitter emitter) {
		try {
			boolean running = true;
			while (running) {
				run.awaitEnd(INTERVAL_MILLIS);
				// The run may end between the waiting and the looking: what was seen
				// counts.
				RunView view = this.runner.view(run);
				running = view.state() == RunView.State.RUNNING;
				emitter.send(SseEmitter.event().name(running ? "progress" : "result").data(view));
			}
			emitter.complete();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			emitter.complete();
		}
		catch (IOException ex) {
			logger.debug("A reader of run {} went away", run.id(), ex);
		}
		catch (RuntimeException ex) {
			emitter.completeWithError(ex);
		}
	}

	@Override
	public void destroy() {
		this.followers.shutdownNow();
	}

}
