package io.distributedlock.store.jdbc;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;

import javax.sql.DataSource;

import org.jspecify.annotations.Nullable;

/**
 * Connections that do not quite do what their driver does.
 */
final class Proxies {

	private Proxies() {
	}

	/**
	 * Makes a source whose connections answer calls of methods themselves.
	 */
	static DataSource connections(DataSource source, ConnectionCall call) {
		return of(DataSource.class, (method, arguments) -> {
			Connection connection = source.getConnection();
			return of(Connection.class, (called, values) -> call.apply(connection, called, values));
		});
	}

	static <T> T of(Class<T> type, Call call) {
		return type.cast(Proxy.newProxyInstance(Proxies.class.getClassLoader(), new Class<?>[] { type },
				(proxy, method, arguments) -> {
					try {
						return call.apply(method, arguments);
					}
					catch (InvocationTargetException ex) {
						throw ex.getCause();
					}
				}));
	}

	/**
	 * Answers a call.
	 */
	interface Call {

		@Nullable Object apply(Method method, Object[] arguments) throws Throwable;

	}

	/**
	 * Answers a call of a connection.
	 */
	interface ConnectionCall {

		@Nullable Object apply(Connection connection, Method method, Object[] arguments) throws Throwable;

	}

}
