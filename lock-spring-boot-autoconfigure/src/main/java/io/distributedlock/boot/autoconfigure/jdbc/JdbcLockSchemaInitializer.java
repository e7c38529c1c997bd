package io.distributedlock.boot.autoconfigure.jdbc;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

import javax.sql.DataSource;

import org.jspecify.annotations.Nullable;

import org.springframework.boot.jdbc.init.PropertiesBasedDataSourceScriptDatabaseInitializer;
import org.springframework.core.NestedExceptionUtils;
import org.springframework.core.io.ByteArrayResource;
import org.springframework.core.io.Resource;

/**
 * Makes the tables of the JDBC store, as {@code distributed-lock.jdbc.initialize-schema}
 * says. Beans that need an initialized database wait for it, as they do for Spring Boot's
 * own initializers.
 */
final class JdbcLockSchemaInitializer extends PropertiesBasedDataSourceScriptDatabaseInitializer<JdbcLockProperties> {

	private static final String TABLE = "@@table@@";

	// As in Oracle's tools, for scripts whose statements have semicolons in them.
	private static final Pattern SLASH_LINE = Pattern.compile("^/\\h*$", Pattern.MULTILINE);

	private static final String SLASH = "\n/";

	private final String table;

	private final List<Scripts> run = new ArrayList<>();

	JdbcLockSchemaInitializer(DataSource dataSource, JdbcLockProperties properties) {
		super(dataSource, properties);
		this.table = properties.getTable();
	}

	@Override
	protected void runScripts(Scripts scripts) {
		Charset encoding = (scripts.getEncoding() != null) ? scripts.getEncoding() : StandardCharsets.UTF_8;
		for (Resource script : scripts) {
			String text = text(script, encoding).replace(TABLE, this.table);
			Resource named = new ByteArrayResource(text.getBytes(encoding), script.getDescription());
			Scripts one = new Scripts(List.of(named)).continueOnError(scripts.isContinueOnError())
				.separator(SLASH_LINE.matcher(text).find() ? SLASH : scripts.getSeparator())
				.encoding(encoding);
			this.run.add(one);
			super.runScripts(one);
		}
	}

	/**
	 * Finds out why tables are missing although their scripts were run: these go on after
	 * an error, since what they make may be there already. Runs them once more, up to the
	 * first error.
	 * @return what the database says, or null if it has nothing against them
	 */
	@Nullable String whyNot() {
		for (Scripts scripts : this.run) {
			try {
				super.runScripts(scripts.continueOnError(false));
			}
			catch (RuntimeException ex) {
				return NestedExceptionUtils.getMostSpecificCause(ex).getMessage();
			}
		}
		return null;
	}

	private static String text(Resource script, Charset encoding) {
		try {
			return script.getContentAsString(encoding);
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

}
