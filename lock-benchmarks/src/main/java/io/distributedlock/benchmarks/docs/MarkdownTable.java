package io.distributedlock.benchmarks.docs;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * A table of Markdown: the first column to the left, the others to the right.
 */
final class MarkdownTable {

	private final List<String> lines = new ArrayList<>();

	MarkdownTable(List<String> header) {
		add(header);
		this.lines.add("| --- |" + String.join("", Collections.nCopies(header.size() - 1, " ---: |")));
	}

	void add(List<String> row) {
		this.lines.add("| " + String.join(" | ", row) + " |");
	}

	@Override
	public String toString() {
		return String.join("\n", this.lines) + "\n";
	}

}
