package io.distributedlock.boot.autoconfigure.jdbc;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Pattern;

import javax.sql.DataSource;

import org.springframework.boot.jdbc.init.PropertiesBasedDataSourceScriptDatabaseInitializer;
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
			super.runScripts(new Scripts(List.of(named)).continueOnError(scripts.isContinueOnError())
				.separator(SLASH_LINE.matcher(text).find() ? SLASH : scripts.getSeparator())
				.encoding(encoding));
		}
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
