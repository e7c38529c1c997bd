package io.distributedlock.boot.autoconfigure;

import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;

import javax.sql.DataSource;

import io.distributedlock.Lease;
import io.distributedlock.LeaseState;
import io.distributedlock.LockContext;
import io.distributedlock.LockInspector;
import io.distributedlock.LockLostException;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockRequest;
import io.distributedlock.LossReason;
import io.distributedlock.boot.autoconfigure.memory.MemoryLockStoreAutoConfiguration;
import io.distributedlock.spring.DistributedLock;
import io.distributedlock.spring.FakeLocks;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.aop.AopAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.JdbcTemplateAutoConfiguration;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.boot.transaction.autoconfigure.TransactionAutoConfiguration;
import org.springframework.boot.transaction.autoconfigure.TransactionManagerCustomizationAutoConfiguration;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.IllegalTransactionStateException;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.transaction.support.TransactionTemplate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Tests for locks and real transactions on H2 (rule E15).
 */
@ExtendWith(OutputCaptureExtension.class)
@Tag("E15")
class LockedTransactionTests {

	private final ApplicationContextRunner withoutLocks = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(AopAutoConfiguration.class, DataSourceAutoConfiguration.class,
				JdbcTemplateAutoConfiguration.class, DataSourceTransactionManagerAutoConfiguration.class,
				TransactionManagerCustomizationAutoConfiguration.class, TransactionAutoConfiguration.class,
				DistributedLockAutoConfiguration.class, DistributedLockAspectAutoConfiguration.class,
				DistributedLockTransactionAutoConfiguration.class))
		.withPropertyValues("spring.datasource.url=jdbc:h2:mem:" + UUID.randomUUID())
		.withBean(Work.class)
		.withBean(Shop.class);

	private final ApplicationContextRunner runner = this.withoutLocks.withBean(FakeLocks.class);

	private void run(Consumer<Bench> test) {
		run(this.runner, test);
	}

	private void run(ApplicationContextRunner configured, Consumer<Bench> test) {
		configured.run((context) -> {
			assertThat(context).hasNotFailed();
			Bench bench = new Bench(context);
			bench.jdbc.execute("create table sale (id varchar(20))");
			test.accept(bench);
			assertThat(LockContext.leases()).isEmpty();
			assertThat(TransactionSynchronizationManager.isSynchronizationActive()).isFalse();
		});
	}

	@Test
	void ownTransactionCommitsWithinTheLock() {
		run((bench) -> {
			bench.work.task = () -> bench.journalCompletion("own");
			bench.shop.buy("42");
			assertThat(bench.sales()).isOne();
			assertThat(bench.locks.journal).containsExactly("acquired stock:42", "own committed", "released stock:42");
		});
	}

	@Test
	void ownTransactionRollsBackWhenTheLockIsLost() {
		run((bench) -> {
			bench.work.task = () -> bench.locks.lease().lose();
			assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> bench.shop.buy("42"))
				.satisfies((ex) -> assertThat(ex.getSuppressed()).isEmpty());
			assertThat(bench.sales()).isZero();
		});
	}

	@Test
	void lossThatIsNoticedAfterTheCommitSaysThatTheTransactionStands() {
		run((bench) -> {
			bench.work.task = () -> TransactionSynchronizationManager
				.registerSynchronization(new TransactionSynchronization() {
					@Override
					public void afterCommit() {
						bench.locks.lease().lose();
					}
				});
			assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> bench.shop.buy("42"))
				.withMessageContaining("had returned when this was noticed: what it has committed stands");
			assertThat(bench.sales()).isOne();
		});
	}

	@Test
	void ownTransactionRollsBackWhenTooLittleTimeIsLeft() {
		run((bench) -> {
			bench.work.task = () -> bench.locks.lease().setRemaining(Duration.ofMillis(99));
			assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> bench.shop.buy("42"))
				.withMessageContaining("99ms were left before its commit and 100ms are needed");
			assertThat(bench.sales()).isZero();
			bench.work.task = () -> bench.locks.lease().setRemaining(Duration.ofMillis(100));
			bench.shop.buy("42");
			assertThat(bench.sales()).isOne();
		});
	}

	@Test
	void ownTransactionRollsBackWhenTheRealEngineLosesTheLock() {
		run(this.withoutLocks.withConfiguration(AutoConfigurations.of(MemoryLockStoreAutoConfiguration.class))
			.withPropertyValues("distributed-lock.store=memory"), (bench) -> {
				bench.shop.buy("41");
				assertThat(bench.sales()).isOne();
				bench.work.task = bench::takeLockAway;
				assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> bench.shop.buy("42"))
					.satisfies((ex) -> assertThat(ex.reason()).isEqualTo(LossReason.FORCE_RELEASED))
					.satisfies((ex) -> assertThat(ex.getSuppressed()).isEmpty());
				assertThat(bench.sales()).isOne();
			});
	}

	@Test
	void applicationsOwnTransactionManagerIsGuardedToo() {
		run(this.runner.withBean("mine", PlatformTransactionManager.class, LockedTransactionTests::unmodifiable),
				(bench) -> {
					bench.work.task = () -> bench.locks.lease().lose();
					assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> bench.shop.buy("42"));
					assertThat(bench.sales()).isZero();
				});
	}

	private static PlatformTransactionManager unmodifiable() {
		JdbcTransactionManager manager = new InjectedTransactionManager();
		manager.setTransactionExecutionListeners(List.of());
		return manager;
	}

	@Test
	void loserOfTheLockMayStillEndATransactionThatOnlyRead() {
		run((bench) -> {
			bench.work.task = () -> bench.locks.lease().lose();
			assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> bench.shop.readOnly());
			assertThat(bench.work.completion).isEqualTo(TransactionSynchronization.STATUS_COMMITTED);
		});
	}

	@Test
	void scopeWithoutTransactionIsNotGuardedAndNotWaitedFor() {
		run((bench) -> bench.supports.executeWithoutResult((status) -> {
			bench.shop.plain("42");
			assertThat(bench.locks.journal).containsExactly("acquired plain:42", "released plain:42");
		}));
	}

	@Test
	void newTransactionWithinTheLockIsGuarded() {
		run((bench) -> {
			bench.work.task = () -> bench.requiresNew.executeWithoutResult((status) -> {
				bench.insert("inner");
				bench.locks.lease().lose();
			});
			assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> bench.shop.plain("42"));
			assertThat(bench.sales()).isZero();
		});
	}

	@Test
	void newTransactionThatCommittedBeforeTheLossStays() {
		run((bench) -> {
			bench.work.task = () -> {
				bench.requiresNew.executeWithoutResult((status) -> bench.insert("inner"));
				bench.locks.lease().lose();
			};
			assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> bench.shop.buy("42"));
			assertThat(bench.sales()).isOne();
		});
	}

	@Test
	void savepointIsNotReleasedWithoutTheLockAndTheTransactionRollsBack() {
		run((bench) -> {
			bench.work.task = () -> bench.nested.executeWithoutResult((status) -> {
				bench.insert("nested");
				bench.locks.lease().lose();
			});
			assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> bench.shop.buy("42"));
			assertThat(bench.sales()).isZero();
		});
	}

	@Test
	void lockWithinATransactionIsKeptUntilItHasCommitted() {
		run((bench) -> {
			bench.required.executeWithoutResult((status) -> {
				bench.journalCompletion("outer");
				bench.shop.buy("42");
				assertThat(bench.locks.lease().isHeld()).isTrue();
				assertThat(LockContext.current("stock")).isPresent();
			});
			assertThat(bench.sales()).isOne();
			assertThat(bench.locks.journal).containsExactly("acquired stock:42", "outer committed",
					"released stock:42");
		});
	}

	@Test
	void lockWithinATransactionIsKeptUntilItHasRolledBack() {
		run((bench) -> {
			bench.required.executeWithoutResult((status) -> {
				bench.journalCompletion("outer");
				bench.shop.buy("42");
				status.setRollbackOnly();
			});
			assertThat(bench.sales()).isZero();
			assertThat(bench.locks.journal).containsExactly("acquired stock:42", "outer rolled back",
					"released stock:42");
		});
	}

	@Test
	void lockWithinATransactionIsKeptWhenTheMethodFailed() {
		run((bench) -> {
			bench.work.task = () -> {
				throw new IllegalArgumentException("mine");
			};
			bench.required.executeWithoutResult((status) -> {
				assertThatExceptionOfType(IllegalArgumentException.class).isThrownBy(() -> bench.shop.plain("42"));
				assertThat(bench.locks.lease().isHeld()).isTrue();
			});
			assertThat(bench.locks.lease().state()).isEqualTo(LeaseState.RELEASED);
		});
	}

	@Test
	@Tag("E10")
	void lockThatIsKeptStaysTakenAfterTheOuterTransactionHasCommitted() {
		run((bench) -> {
			bench.required.executeWithoutResult((status) -> {
				bench.journalCompletion("outer");
				bench.shop.once("42");
			});
			assertThat(bench.locks.journal).containsExactlyInAnyOrder("acquired once:42", "outer committed",
					"kept once:42", "released once:42");
			assertThat(bench.locks.journal).containsSubsequence("kept once:42", "released once:42")
				.endsWith("released once:42");
		});
	}

	@Test
	@Tag("E10")
	void rollbackOfTheOuterTransactionFreesALockThatWouldBeKept() {
		run((bench) -> {
			bench.required.executeWithoutResult((status) -> {
				bench.shop.once("42");
				status.setRollbackOnly();
			});
			assertThat(bench.locks.journal).containsExactly("acquired once:42", "released once:42");
		});
	}

	@Test
	@Tag("E10")
	void lockIsNotKeptWhenTheMethodFailedEvenIfTheOuterTransactionCommits() {
		run((bench) -> {
			bench.work.task = () -> {
				throw new IllegalArgumentException("mine");
			};
			bench.required.executeWithoutResult((status) -> assertThatExceptionOfType(IllegalArgumentException.class)
				.isThrownBy(() -> bench.shop.once("42")));
			assertThat(bench.locks.journal).containsExactly("acquired once:42", "released once:42");
		});
	}

	@Test
	@Tag("E10")
	void realEngineKeepsAfterTheCommitAndFreesAfterTheRollback() {
		run(this.withoutLocks.withConfiguration(AutoConfigurations.of(MemoryLockStoreAutoConfiguration.class))
			.withPropertyValues("distributed-lock.store=memory", "distributed-lock.locks.plain.keep=true",
					"distributed-lock.locks.plain.wait-time=0s"),
				(bench) -> {
					bench.required.executeWithoutResult((status) -> {
						bench.shop.plain("42");
						status.setRollbackOnly();
					});
					bench.required.executeWithoutResult((status) -> bench.shop.plain("42"));
					assertThatExceptionOfType(LockNotAcquiredException.class).isThrownBy(() -> bench.shop.plain("42"));
					bench.shop.plain("43");
					assertThatExceptionOfType(LockNotAcquiredException.class).isThrownBy(() -> bench.shop.plain("43"));
				});
	}

	@Test
	void outerTransactionRollsBackWhenTheLockIsLostAfterTheMethod() {
		run((bench) -> {
			assertThatExceptionOfType(LockLostException.class)
				.isThrownBy(() -> bench.required.executeWithoutResult((status) -> {
					bench.shop.buy("42");
					bench.locks.lease().lose();
				}));
			assertThat(bench.sales()).isZero();
		});
	}

	@Test
	void lossWithinTheMethodIsThrownThereAndStopsTheOuterCommitEvenIfCaught() {
		run((bench) -> {
			bench.work.task = () -> bench.locks.lease().lose();
			assertThatExceptionOfType(LockLostException.class)
				.isThrownBy(() -> bench.required.executeWithoutResult((status) -> {
					bench.insert("outer");
					assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> bench.shop.plain("42"));
				}));
			assertThat(bench.sales()).isZero();
		});
	}

	@Test
	void suspendedTransactionDoesNotKeepTheLockOfANewOne() {
		run((bench) -> {
			bench.required.executeWithoutResult((status) -> {
				bench.requiresNew.executeWithoutResult((inner) -> {
					bench.journalCompletion("inner");
					bench.shop.plain("42");
				});
				assertThat(bench.locks.journal).containsExactly("acquired plain:42", "inner committed",
						"released plain:42");
			});
		});
	}

	@Test
	void withinAfterCommitTheLockEndsWithTheMethod() {
		run((bench) -> {
			bench.required.executeWithoutResult((status) -> bench.register(new TransactionSynchronization() {
				@Override
				public void afterCommit() {
					assertThat(TransactionSynchronizationManager.isActualTransactionActive()).isTrue();
					bench.shop.plain("42");
					assertThat(bench.locks.journal).containsExactly("acquired plain:42", "released plain:42");
				}
			}));
			assertThat(bench.locks.journal).hasSize(2);
		});
	}

	@Test
	void withinAfterCompletionTheLockEndsWithTheMethod() {
		run((bench) -> {
			bench.required.executeWithoutResult((status) -> bench.register(new TransactionSynchronization() {
				@Override
				public void afterCompletion(int outcome) {
					bench.shop.plain("42");
					bench.locks.journal.add("method ended");
				}
			}));
			assertThat(bench.locks.journal).containsExactly("acquired plain:42", "released plain:42", "method ended");
		});
	}

	@Test
	void withinAfterCommitANewTransactionUnderTheLockIsGuarded() {
		run((bench) -> {
			bench.work.task = () -> bench.locks.lease().lose();
			bench.required.executeWithoutResult((status) -> bench.register(new TransactionSynchronization() {
				@Override
				public void afterCommit() {
					assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> bench.shop.buyInNew("42"));
				}
			}));
			assertThat(bench.locks.journal).contains("released stock:42");
			assertThat(bench.sales()).isZero();
		});
	}

	@Test
	void callbackBeforeTheCommitStillBelongsToTheTransaction() {
		run((bench) -> {
			bench.required.executeWithoutResult((status) -> {
				bench.journalCompletion("outer");
				bench.register(new TransactionSynchronization() {
					@Override
					public void beforeCommit(boolean readOnly) {
						bench.shop.buy("42");
					}
				});
			});
			assertThat(bench.sales()).isOne();
			assertThat(bench.locks.journal).containsExactly("acquired stock:42", "outer committed",
					"released stock:42");
		});
	}

	@Test
	void programmaticLockAroundATransactionIsGuarded() {
		run((bench) -> {
			assertThatExceptionOfType(LockLostException.class)
				.isThrownBy(() -> bench.locks.executeWithoutResult(LockRequest.of("code", "1"),
						(lease) -> bench.required.executeWithoutResult((status) -> {
							bench.insert("code");
							bench.locks.lease().lose();
						})));
			assertThat(bench.sales()).isZero();
		});
	}

	@Test
	void surroundingTransactionIsOneWarningPerMethod(CapturedOutput output) {
		run((bench) -> bench.required.executeWithoutResult((status) -> {
			bench.shop.buy("1");
			bench.shop.buy("2");
			bench.shop.plain("3");
		}));
		assertThat(output).containsOnlyOnce("Shop.buy(String) takes the lock 'stock' within a transaction")
			.containsOnlyOnce("Shop.plain(String) takes the lock 'plain' within a transaction")
			.contains("REPEATABLE READ")
			.contains("Call it outside of that transaction, or begin the transaction within the lock")
			.doesNotContain("put @Transactional on");
	}

	@Test
	void nestedLockOfTheSameKeyIsNoRiskAndNoWarning(CapturedOutput output) {
		run((bench) -> {
			bench.work.task = () -> {
				bench.work.task = () -> {
				};
				bench.shop.buy("42");
			};
			bench.shop.buy("42");
			assertThat(bench.sales()).isEqualTo(2);
		});
		assertThat(output).doesNotContain("within a transaction that was begun before");
	}

	@Test
	void surroundingTransactionIsRefusedIfAskedTo() {
		run(this.runner.withPropertyValues("distributed-lock.transaction.on-active-transaction=reject"), (bench) -> {
			assertThatExceptionOfType(IllegalTransactionStateException.class)
				.isThrownBy(() -> bench.required.executeWithoutResult((status) -> bench.shop.buy("42")))
				.withMessageContaining("Shop.buy(String) takes the lock 'stock'");
			assertThat(bench.locks.requests).isEmpty();
			bench.shop.buy("42");
			assertThat(bench.sales()).isOne();
		});
	}

	private static final class Bench {

		private final FakeLocks locks;

		private final LockInspector inspector;

		private final Shop shop;

		private final Work work;

		private final JdbcTemplate jdbc;

		private final TransactionTemplate required;

		private final TransactionTemplate requiresNew;

		private final TransactionTemplate nested;

		private final TransactionTemplate supports;

		Bench(AssertableApplicationContext context) {
			this.locks = context.getBeanProvider(FakeLocks.class).getIfAvailable();
			this.inspector = context.getBeanProvider(LockInspector.class).getIfAvailable();
			this.shop = context.getBean(Shop.class);
			this.work = context.getBean(Work.class);
			this.jdbc = context.getBean(JdbcTemplate.class);
			PlatformTransactionManager manager = context.getBean(PlatformTransactionManager.class);
			this.required = template(manager, TransactionDefinition.PROPAGATION_REQUIRED);
			this.requiresNew = template(manager, TransactionDefinition.PROPAGATION_REQUIRES_NEW);
			this.nested = template(manager, TransactionDefinition.PROPAGATION_NESTED);
			this.supports = template(manager, TransactionDefinition.PROPAGATION_SUPPORTS);
		}

		private static TransactionTemplate template(PlatformTransactionManager manager, int propagation) {
			TransactionTemplate template = new TransactionTemplate(manager);
			template.setPropagationBehavior(propagation);
			return template;
		}

		void insert(String id) {
			this.jdbc.update("insert into sale values (?)", id);
		}

		void takeLockAway() {
			Lease lease = LockContext.current().orElseThrow();
			assertThat(this.inspector.forceRelease(lease.key(), null, lease.fencingToken())).isTrue();
		}

		int sales() {
			Integer count = this.jdbc.queryForObject("select count(*) from sale", Integer.class);
			return (count != null) ? count : 0;
		}

		void register(TransactionSynchronization synchronization) {
			TransactionSynchronizationManager.registerSynchronization(synchronization);
		}

		void journalCompletion(String name) {
			register(new TransactionSynchronization() {
				@Override
				public void afterCompletion(int status) {
					Bench.this.locks.journal.add(name + ((status == STATUS_COMMITTED) ? " committed" : " rolled back"));
				}
			});
		}

	}

	static class Work {

		Runnable task = () -> {
		};

		int completion = -1;

	}

	static class Shop {

		@Autowired
		JdbcTemplate jdbc;

		@Autowired
		Work work;

		@DistributedLock(name = "stock", key = "#productId")
		@Transactional
		public void buy(String productId) {
			sell(productId);
		}

		@DistributedLock(name = "stock", key = "#productId")
		@Transactional(propagation = Propagation.REQUIRES_NEW)
		public void buyInNew(String productId) {
			sell(productId);
		}

		@DistributedLock(name = "reading")
		@Transactional(readOnly = true)
		public void readOnly() {
			TransactionSynchronizationManager.registerSynchronization(new TransactionSynchronization() {
				@Override
				public void afterCompletion(int status) {
					Shop.this.work.completion = status;
				}
			});
			this.work.task.run();
		}

		@DistributedLock(name = "plain", key = "#id")
		public void plain(String id) {
			this.work.task.run();
		}

		@DistributedLock(name = "once", key = "#id", keep = "true")
		public void once(String id) {
			this.work.task.run();
		}

		private void sell(String productId) {
			this.jdbc.update("insert into sale values (?)", productId);
			this.work.task.run();
		}

	}

	static final class InjectedTransactionManager extends JdbcTransactionManager {

		private static final long serialVersionUID = 1L;

		@Override
		@Autowired
		public void setDataSource(DataSource dataSource) {
			super.setDataSource(dataSource);
		}

	}

}
