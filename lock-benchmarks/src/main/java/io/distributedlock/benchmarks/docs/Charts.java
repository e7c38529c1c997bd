package io.distributedlock.benchmarks.docs;

import java.awt.Color;
import java.awt.Dimension;
import java.awt.Font;
import java.awt.geom.Rectangle2D;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;

import io.distributedlock.benchmarks.peer.Peer;
import io.distributedlock.benchmarks.peer.Peers;
import io.distributedlock.benchmarks.report.Results;
import io.distributedlock.benchmarks.report.RunResult;
import org.apache.batik.svggen.SVGGraphics2D;
import org.jfree.chart.ChartFactory;
import org.jfree.chart.JFreeChart;
import org.jfree.chart.StandardChartTheme;
import org.jfree.chart.plot.CategoryPlot;
import org.jfree.chart.plot.PlotOrientation;
import org.jfree.chart.renderer.category.BarRenderer;
import org.jfree.chart.renderer.category.StandardBarPainter;
import org.jfree.data.category.DefaultCategoryDataset;
import org.w3c.dom.Document;

/**
 * Bar charts of medians, as SVG with real text. The axis begins at zero and is linear:
 * the length of a bar is what it stands for.
 */
final class Charts {

	private static final String SVG = "http://www.w3.org/2000/svg";

	private static final int WIDTH = 960;

	private static final int HEIGHT = 420;

	private static final Font FONT = new Font(Font.SANS_SERIF, Font.PLAIN, 13);

	// This library in a strong colour, all others in quiet ones.
	private static final Color OURS = new Color(0xD1, 0x49, 0x1B);

	private static final Color[] OTHERS = { new Color(0x9A, 0x9A, 0x9A), new Color(0x2B, 0x5C, 0x8A),
			new Color(0x5B, 0x8D, 0xB8), new Color(0x8F, 0xB5, 0xD5), new Color(0xBD, 0xD3, 0xE6),
			new Color(0x3F, 0x7D, 0x5A), new Color(0x7B, 0xB0, 0x92), new Color(0x6D, 0x59, 0x7A),
			new Color(0xA4, 0x92, 0xAF), new Color(0x8A, 0x7A, 0x4E), new Color(0xC2, 0xB6, 0x8F),
			new Color(0x4A, 0x4A, 0x4A) };

	private final List<RunResult> runs;

	private final Path directory;

	private final List<String> written = new ArrayList<>();

	Charts(List<RunResult> runs, Path directory) {
		this.runs = runs;
		this.directory = directory;
	}

	/**
	 * Writes all charts that something was measured for.
	 * @return their file names
	 */
	List<String> write() throws IOException {
		Files.createDirectories(this.directory);
		draw("own-keys", "Own keys", "cycles/s", RunResult::cyclesPerSecond, "own-1", "own-16", "own-64", "own-256");
		draw("hot-key", "One hot key", "cycles/s", RunResult::cyclesPerSecond, "hot-2", "hot-32", "hot-256", "hot-3x8");
		draw("hot-key-p99", "One hot key: 99th percentile of lock()", "milliseconds", (run) -> run.p99Micros() / 1e3,
				"hot-2", "hot-32", "hot-256", "hot-3x8");
		draw("hot-key-commands", "One hot key: server commands per cycle", "commands",
				RunResult::serverCommandsPerCycle, "hot-2", "hot-32", "hot-256", "hot-3x8");
		draw("zipf", "1,000 keys by Zipf's law, 64 threads", "cycles/s", RunResult::cyclesPerSecond, "zipf");
		draw("held-leases", "Held leases, ttl 6 s: client CPU per renewal", "microseconds",
				(run) -> run.figure("clientCpuMicrosPerRenewal"), "held-10000", "held-100000");
		draw("wake-up", "Wake-up of a waiter in another JVM: median", "microseconds", RunResult::p50Micros, "wake-up");
		draw("virtual-threads", "10,000 virtual threads wait for one key: until all had it", "seconds",
				RunResult::seconds, "virtual-10000");
		return List.copyOf(this.written);
	}

	private void draw(String name, String title, String unit, ToDoubleFunction<RunResult> figure, String... scenarios)
			throws IOException {
		DefaultCategoryDataset data = new DefaultCategoryDataset();
		List<String> peers = this.runs.stream().map(RunResult::peer).distinct().toList();
		for (String scenario : scenarios) {
			Results results = Results.of(this.runs, scenario, 0);
			for (String peer : Peers.all().stream().map(Peer::name).filter(peers::contains).toList()) {
				if (results.has(peer)) {
					double value = results.median(peer, figure);
					data.addValue(Double.isNaN(value) ? null : value, Peers.get(peer).title(), scenario);
				}
			}
		}
		if (data.getRowCount() > 0) {
			write(name + ".svg", chart(title, unit, data));
		}
	}

	private static JFreeChart chart(String title, String unit, DefaultCategoryDataset data) {
		JFreeChart chart = ChartFactory.createBarChart(title, null, unit, data, PlotOrientation.VERTICAL, true, false,
				false);
		StandardChartTheme theme = new StandardChartTheme("plain");
		theme.setExtraLargeFont(FONT.deriveFont(Font.BOLD, 15f));
		theme.setLargeFont(FONT);
		theme.setRegularFont(FONT);
		theme.setPlotBackgroundPaint(Color.WHITE);
		theme.setRangeGridlinePaint(Color.LIGHT_GRAY);
		theme.setBarPainter(new StandardBarPainter());
		theme.setShadowVisible(false);
		theme.apply(chart);
		CategoryPlot plot = chart.getCategoryPlot();
		plot.setOutlineVisible(false);
		BarRenderer renderer = (BarRenderer) plot.getRenderer();
		renderer.setItemMargin(0.02);
		for (int i = 0; i < data.getRowCount(); i++) {
			renderer.setSeriesPaint(i, color(String.valueOf(data.getRowKey(i))));
		}
		return chart;
	}

	/** A peer has the same colour in all charts. */
	private static Color color(String title) {
		int other = 0;
		for (Peer peer : Peers.all()) {
			if (peer.title().equals(title)) {
				return peer.name().equals(Peers.OURS) ? OURS : OTHERS[other % OTHERS.length];
			}
			other += peer.name().equals(Peers.OURS) ? 0 : 1;
		}
		return OTHERS[0];
	}

	private void write(String file, JFreeChart chart) throws IOException {
		SVGGraphics2D graphics = new SVGGraphics2D(document());
		graphics.setSVGCanvasSize(new Dimension(WIDTH, HEIGHT));
		chart.draw(graphics, new Rectangle2D.Double(0, 0, WIDTH, HEIGHT));
		try (var writer = Files.newBufferedWriter(this.directory.resolve(file))) {
			graphics.stream(writer, true);
		}
		this.written.add(file);
	}

	private static Document document() {
		try {
			return DocumentBuilderFactory.newInstance()
				.newDocumentBuilder()
				.getDOMImplementation()
				.createDocument(SVG, "svg", null);
		}
		catch (ParserConfigurationException ex) {
			throw new IllegalStateException("Every Java platform can make an XML document", ex);
		}
	}

}
