package io.distributedlock.store.jdbc.mariadb;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;

import javax.sql.DataSource;

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
		return of(DataSource.class, (proxy, method, arguments) -> {
			Connection connection = source.getConnection();
			return of(Connection.class, (same, called, values) -> {
				try {
					return call.apply(connection, called, values);
				}
				catch (InvocationTargetException ex) {
					throw ex.getCause();
				}
			});
		});
	}

	private static <T> T of(Class<T> type, InvocationHandler handler) {
		return type.cast(Proxy.newProxyInstance(Proxies.class.getClassLoader(), new Class<?>[] { type }, handler));
	}

	/**
	 * Answers a call of a connection.
	 */
	interface ConnectionCall {

		Object apply(Connection connection, Method method, Object[] arguments) throws Throwable;

	}

}
