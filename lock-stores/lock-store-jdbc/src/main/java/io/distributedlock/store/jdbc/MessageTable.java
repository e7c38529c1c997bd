package io.distributedlock.store.jdbc;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import io.distributedlock.spi.AttemptId;

/**
 * Messages for JVMs that poll, as rows of the table of those that wait, so that no other
 * table is needed: under a key that is no lock's, since keys are percent-encoded, and
 * that JVMs of the versions before do not read either. Rows are short, so that a message
 * is cut into pieces, each with its number and how many there are: they need no
 * transaction, and whoever reads waits for the last one.
 */
final class MessageTable {

	/** Longest message. */
	static final int LONGEST = 4000;

	/** Longest name of an instance. */
	static final int LONGEST_NAME = 128;

	/** Becomes no lock's key, and is not the mailbox of signals. */
	private static final String MAILBOX = "?";

	/** How many characters go into the column of an instance. */
	private static final int ROW = 128;

	/** Enough to keep the messages apart that are in a mailbox at the same time. */
	private static final int ID = 10;

	private static final int HEAD = ID + 2;

	private static final int PIECE = ROW - HEAD;

	private static final char FIRST_NUMBER = '0';

	private final String insert;

	private final String delete;

	private final String select;

	MessageTable(TableNames names) {
		ClaimTables claims = new ClaimTables(names);
		this.insert = claims.insertWaiter();
		this.delete = claims.deleteWaiter();
		this.select = "SELECT instance FROM " + names.waiters() + " WHERE lock_key = ?";
	}

	/**
	 * Puts messages into mailboxes.
	 * @param expiresAt when their rows may be removed as those of waiters that are gone,
	 * on the database's clock
	 * @return the names of the rows
	 */
	List<Object[]> insert(Connection connection, List<Message> messages, long since, long expiresAt)
			throws SQLException {
		List<Object[]> rows = new ArrayList<>();
		for (Message message : messages) {
			String id = AttemptId.random().toString();
			int pieces = (message.text().length() + PIECE - 1) / PIECE;
			for (int i = 0; i < pieces; i++) {
				String piece = id.substring(0, ID) + (char) (FIRST_NUMBER + i) + (char) (FIRST_NUMBER + pieces)
						+ message.text().substring(i * PIECE, Math.min(message.text().length(), (i + 1) * PIECE));
				rows.add(new Object[] { id, since, expiresAt, MAILBOX + message.instance(), piece });
			}
		}
		LockTables.batch(connection, this.insert, rows);
		return rows.stream().map((row) -> new Object[] { row[3], row[4] }).toList();
	}

	/**
	 * Reads what is complete in a mailbox.
	 */
	Mail read(Connection connection, String instance) throws SQLException {
		Map<String, List<String>> found = new HashMap<>();
		try (PreparedStatement statement = connection.prepareStatement(this.select)) {
			statement.setString(1, MAILBOX + instance);
			try (ResultSet result = statement.executeQuery()) {
				while (result.next()) {
					String piece = result.getString(1);
					if (piece.length() > HEAD) {
						found.computeIfAbsent(piece.substring(0, ID), (absent) -> new ArrayList<>()).add(piece);
					}
				}
			}
		}
		Mail mail = new Mail(new ArrayList<>(), new ArrayList<>());
		for (List<String> pieces : found.values()) {
			if (pieces.size() == pieces.get(0).charAt(ID + 1) - FIRST_NUMBER) {
				pieces.sort(null);
				StringBuilder text = new StringBuilder();
				pieces.forEach((piece) -> text.append(piece, HEAD, piece.length()));
				mail.texts().add(text.toString());
				pieces.forEach((piece) -> mail.rows().add(new Object[] { MAILBOX + instance, piece }));
			}
		}
		return mail;
	}

	/**
	 * Removes rows, if they are still there.
	 */
	void delete(Connection connection, List<Object[]> rows) throws SQLException {
		LockTables.batch(connection, this.delete, rows);
	}

	/**
	 * A message on its way.
	 *
	 * @param instance to whom
	 * @param text what it says
	 */
	record Message(String instance, String text) {
	}

	/**
	 * What was in a mailbox.
	 *
	 * @param texts the messages
	 * @param rows the names of their rows
	 */
	record Mail(List<String> texts, List<Object[]> rows) {
	}

}
