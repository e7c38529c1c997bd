package io.distributedlock.benchmarks.report;

import java.util.ArrayList;
import java.util.List;

/**
 * A table of plain text: the first column to the left, the others to the right.
 */
final class TextTable {

	private final List<List<String>> rows = new ArrayList<>();

	TextTable(String... header) {
		this.rows.add(List.of(header));
	}

	void add(List<String> row) {
		this.rows.add(row);
	}

	@Override
	public String toString() {
		List<Integer> widths = new ArrayList<>();
		for (int column = 0; column < this.rows.get(0).size(); column++) {
			int c = column;
			widths.add(this.rows.stream().mapToInt((row) -> row.get(c).length()).max().orElse(0));
		}
		StringBuilder text = new StringBuilder();
		for (List<String> row : this.rows) {
			StringBuilder line = new StringBuilder("  ");
			for (int column = 0; column < row.size(); column++) {
				String padding = " ".repeat(widths.get(column) - row.get(column).length());
				line.append((column == 0) ? row.get(column) + padding : padding + row.get(column)).append("  ");
			}
			text.append(line.toString().stripTrailing()).append(System.lineSeparator());
		}
		return text.toString();
	}

}
